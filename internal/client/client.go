package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"slipway/internal/wire"
)

// A Client talks to one server.
type Client struct {
	// URL is the server's address, "http://127.0.0.1:5000".
	URL string
	// Token signs in.
	Token string
}

// An Error is an answer of the server that is not a success.
type Error struct {
	Status int        // of HTTP
	Body   wire.Error // its ID says what kind of error it is
}

// Error is the server's message.
func (e *Error) Error() string { return e.Body.Message }

const (
	// timeout bounds a call.
	timeout = time.Minute
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
func (c *Client) Apps(ctx context.Context) (apps []wire.App, err error) {
	err = c.call(ctx, http.MethodGet, "/apps", nil, &apps)
	return apps, err
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

// DestroyApp removes an app with its repository, releases and images.
func (c *Client) DestroyApp(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, appPath(name), nil, nil)
}

// Keys lists the SSH keys that may sign in.
func (c *Client) Keys(ctx context.Context) (keys []wire.Key, err error) {
	err = c.call(ctx, http.MethodGet, "/account/keys", nil, &keys)
	return keys, err
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

func (c *Client) call(ctx context.Context, method, path string, body, answer any) error {
	return c.callWithin(ctx, timeout, method, path, body, answer)
}

func (c *Client) callWithin(ctx context.Context, limit time.Duration, method, path string, body, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	req, err := c.request(ctx, method, path, body)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return c.unreached(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return fmt.Errorf("read answer of %s: %w", c.URL, err)
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return failure(resp, raw)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(raw, answer); err != nil {
		return fmt.Errorf("answer of %s is not Slipway's: %w", c.URL, err)
	}
	return nil
}

// request makes a request that is signed in.
func (c *Client) request(ctx context.Context, method, path string, body any) (*http.Request, error) {
	var sent io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encode request: %w", err)
		}
		sent = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base()+path, sent)
	if err != nil {
		return nil, fmt.Errorf("server address %q: %w", c.URL, err)
	}
	req.Header = c.header()
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

func (c *Client) header() http.Header {
	return http.Header{"Accept": {wire.Accept}, "Authorization": {"Bearer " + c.Token}}
}

func (c *Client) base() string { return strings.TrimRight(c.URL, "/") }

// unreached says that the server did not answer. What was asked of it is left
// out: a drain's address may hold a password.
func (c *Client) unreached(err error) error {
	if asked, ok := errors.AsType[*url.Error](err); ok {
		err = asked.Err
	}
	return fmt.Errorf("reach the server at %s: %w", c.URL, err)
}

func failure(resp *http.Response, raw []byte) error {
	e := &Error{Status: resp.StatusCode}
	if json.Unmarshal(raw, &e.Body) != nil || e.Body.Message == "" {
		e.Body.Message = fmt.Sprintf("the server answered %s; is a Slipway server at this address?", resp.Status)
	}
	return e
}
