package client

import (
	"context"
	"crypto/x509"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"slipway/internal/wire"
)

// A Client talks to one server.
type Client struct {
	// URL is the server's address, "http://127.0.0.1:5000".
	URL string
	// Token signs in.
	Token string
	// Agent is what this program calls itself, "slipway/1.0"; "slipway" if empty.
	Agent string
	// Debug is told of each call and its answer, without bodies and tokens; nobody if nil.
	Debug io.Writer
	// Roots are the authorities that the server's certificate may be from; the
	// system's if nil.
	Roots *x509.CertPool

	ownWeb sync.Once
	own    *http.Client // only with Roots; see web
}

// An Error is an answer of the server that is not a success.
type Error struct {
	Status  int        // of HTTP
	Body    wire.Error // its ID says what kind of error it is
	Request string     // the request's ID in the server's log, if it gave one
}

// Error is the server's message.
func (e *Error) Error() string { return e.Body.Message }

const (
	// timeout bounds a call with its repetitions.
	timeout = time.Minute
	// listTimeout bounds the calls for a list.
	listTimeout = 5 * time.Minute
	// releaseTimeout bounds a call that makes a release, whose own command may
	// run for an hour.
	releaseTimeout = 65 * time.Minute
)

// maxBody bounds what is read of an answer, in bytes.
const maxBody = 64 << 20

// CreateApp makes an app; a random name is made if name is empty.
func (c *Client) CreateApp(ctx context.Context, name string) (app wire.App, err error) {
	err = c.call(ctx, http.MethodPost, "/apps", wire.AppCreate{Name: name}, &app)
	return app, err
}

// Apps lists all apps by name.
func (c *Client) Apps(ctx context.Context) ([]wire.App, error) {
	return pages[wire.App](ctx, c, "/apps", "name ..; max=1000")
}

// App finds an app.
func (c *Client) App(ctx context.Context, name string) (app wire.App, err error) {
	err = c.call(ctx, http.MethodGet, appPath(name), nil, &app)
	return app, err
}

// UpdateApp changes an app.
func (c *Client) UpdateApp(ctx context.Context, name string, change wire.AppUpdate) (app wire.App, err error) {
	err = c.call(ctx, http.MethodPatch, appPath(name), change, &app)
	return app, err
}

// Audits lists the newest changes of an app, the newest first.
func (c *Client) Audits(ctx context.Context, app string, limit int) (all []wire.Audit, err error) {
	err = c.call(ctx, http.MethodGet, appPath(app, "audit")+"?limit="+strconv.Itoa(limit), nil, &all)
	return all, err
}

// DestroyApp removes an app with its repository, releases and images, and returns
// what it was.
func (c *Client) DestroyApp(ctx context.Context, name string) (app wire.App, err error) {
	err = c.call(ctx, http.MethodDelete, appPath(name), nil, &app)
	return app, err
}

// Keys lists the SSH keys that may sign in.
func (c *Client) Keys(ctx context.Context) ([]wire.Key, error) {
	return pages[wire.Key](ctx, c, "/account/keys", "")
}

// AddKey lets an SSH key sign in; publicKey is a line of an authorized_keys file.
func (c *Client) AddKey(ctx context.Context, publicKey string) (key wire.Key, err error) {
	err = c.call(ctx, http.MethodPost, "/account/keys", wire.KeyCreate{PublicKey: publicKey}, &key)
	return key, err
}

// RemoveKey takes an SSH key's right to sign in away.
func (c *Client) RemoveKey(ctx context.Context, fingerprint string) error {
	return c.call(ctx, http.MethodDelete, "/account/keys/"+url.PathEscape(fingerprint), nil, nil)
}

// appPath is the address of an app, or of what lies below it.
func appPath(app string, below ...string) string {
	var path strings.Builder
	path.WriteString("/apps/" + url.PathEscape(app))
	for _, part := range below {
		path.WriteString("/" + url.PathEscape(part))
	}
	return path.String()
}
