package client

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"slipway/internal/wire"
)

// Releases lists an app's newest releases, the newest first; all if limit is 0.
func (c *Client) Releases(ctx context.Context, app string, limit int) (all []wire.Release, err error) {
	path := appPath(app, "releases")
	if limit > 0 {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		within := fmt.Sprintf("version ..; order=desc,max=%d", min(limit, maxPage))
		_, err = c.exchange(ctx, http.MethodGet, path+"?limit="+strconv.Itoa(limit), within, nil, &all)
	} else {
		all, err = pages[wire.Release](ctx, c, path, fmt.Sprintf("version ..; order=desc,max=%d", maxPage))
	}
	slices.SortFunc(all, func(a, b wire.Release) int { return cmp.Compare(b.Version, a.Version) })
	return all, err
}

// Release finds one release of an app.
func (c *Client) Release(ctx context.Context, app string, version int) (rel wire.Release, err error) {
	err = c.call(ctx, http.MethodGet, appPath(app, "releases", strconv.Itoa(version)), nil, &rel)
	return rel, err
}

// Rollback makes a release that is an old one again.
func (c *Client) Rollback(ctx context.Context, app string, version int) (rel wire.Release, err error) {
	err = c.callWithin(ctx, releaseTimeout, http.MethodPost, appPath(app, "releases"), wire.ReleaseCreate{Release: "v" + strconv.Itoa(version)}, &rel)
	return rel, err
}

// Config returns an app's config vars.
func (c *Client) Config(ctx context.Context, app string) (vars map[string]string, err error) {
	err = c.call(ctx, http.MethodGet, appPath(app, "config-vars"), nil, &vars)
	return vars, err
}

// SetConfig makes a release with changed config vars, and returns all of them;
// a nil value removes one.
func (c *Client) SetConfig(ctx context.Context, app string, changes map[string]*string) (vars map[string]string, err error) {
	err = c.callWithin(ctx, releaseTimeout, http.MethodPatch, appPath(app, "config-vars"), changes, &vars)
	return vars, err
}

// ReleaseConfig returns the config vars of one release.
func (c *Client) ReleaseConfig(ctx context.Context, app string, version int) (vars map[string]string, err error) {
	err = c.call(ctx, http.MethodGet, appPath(app, "releases", strconv.Itoa(version), "config-vars"), nil, &vars)
	return vars, err
}

// Stream copies an output stream, such as that of a release's command, to w until
// it ends or ctx is done. It is asked of the server that the client knows, by
// whatever name the server knows itself.
func (c *Client) Stream(ctx context.Context, address string, w io.Writer) error {
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("answer of %s is not Slipway's: it has no address of an output", c.URL)
	}
	req, err := c.request(ctx, http.MethodGet, u.RequestURI(), nil)
	if err != nil {
		return err
	}
	resp, err := c.web().Do(req)
	if err != nil {
		return c.unreached(err)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	if resp.StatusCode != http.StatusOK {
		raw, _ := io.ReadAll(io.LimitReader(resp.Body, maxLine)) // what is there of it is shown
		return failure(resp, raw)
	}
	if _, err := io.Copy(w, resp.Body); err != nil {
		return fmt.Errorf("copy output from %s: %w", c.URL, err)
	}
	return nil
}
