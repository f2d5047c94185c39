package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
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

// timeout bounds every call: the API has none that takes long.
const timeout = time.Minute

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
	err = c.call(ctx, http.MethodGet, "/apps/"+url.PathEscape(name), nil, &app)
	return app, err
}

// DestroyApp removes an app with its repository, releases and images.
func (c *Client) DestroyApp(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, "/apps/"+url.PathEscape(name), nil, nil)
}

// Releases lists an app's releases, newest first.
func (c *Client) Releases(ctx context.Context, app string) (all []wire.Release, err error) {
	err = c.call(ctx, http.MethodGet, "/apps/"+url.PathEscape(app)+"/releases", nil, &all)
	return all, err
}

// Release finds one release of an app.
func (c *Client) Release(ctx context.Context, app string, version int) (rel wire.Release, err error) {
	err = c.call(ctx, http.MethodGet, fmt.Sprintf("/apps/%s/releases/%d", url.PathEscape(app), version), nil, &rel)
	return rel, err
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

func (c *Client) call(ctx context.Context, method, path string, body, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var sent io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
		sent = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(c.URL, "/")+path, sent)
	if err != nil {
		return fmt.Errorf("server address %q: %w", c.URL, err)
	}
	req.Header.Set("Accept", wire.Accept)
	req.Header.Set("Authorization", "Bearer "+c.Token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("reach the server at %s: %w", c.URL, err)
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

func failure(resp *http.Response, raw []byte) error {
	e := &Error{Status: resp.StatusCode}
	if json.Unmarshal(raw, &e.Body) != nil || e.Body.Message == "" {
		e.Body.Message = fmt.Sprintf("the server answered %s; is a Slipway server at this address?", resp.Status)
	}
	return e
}
