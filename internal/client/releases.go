package client

import (
	"context"
	"net/http"
	"strconv"

	"slipway/internal/wire"
)

// Releases lists an app's newest releases, the newest first; all if limit is 0.
func (c *Client) Releases(ctx context.Context, app string, limit int) (all []wire.Release, err error) {
	path := appPath(app, "releases")
	if limit > 0 {
		path += "?limit=" + strconv.Itoa(limit)
	}
	err = c.call(ctx, http.MethodGet, path, nil, &all)
	return all, err
}

// Release finds one release of an app.
func (c *Client) Release(ctx context.Context, app string, version int) (rel wire.Release, err error) {
	err = c.call(ctx, http.MethodGet, appPath(app, "releases", strconv.Itoa(version)), nil, &rel)
	return rel, err
}

// Rollback makes a release that is an old one again.
func (c *Client) Rollback(ctx context.Context, app string, version int) (rel wire.Release, err error) {
	err = c.callWithin(ctx, releaseTimeout, http.MethodPost, appPath(app, "releases"), wire.Rollback{Release: "v" + strconv.Itoa(version)}, &rel)
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
