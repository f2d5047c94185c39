package client

import (
	"context"
	"net/http"

	"slipway/internal/wire"
)

// Dynos lists an app's dynos.
func (c *Client) Dynos(ctx context.Context, app string) ([]wire.Dyno, error) {
	return pages[wire.Dyno](ctx, c, appPath(app, "dynos"), "")
}

// RunDyno makes a one-off dyno.
func (c *Client) RunDyno(ctx context.Context, app string, o wire.DynoCreate) (d wire.Dyno, err error) {
	err = c.call(ctx, http.MethodPost, appPath(app, "dynos"), o, &d)
	return d, err
}

// Restart starts dynos again: "web.1", "web" for all of a type, "" for all.
func (c *Client) Restart(ctx context.Context, app, name string) error {
	path := appPath(app, "dynos")
	if name != "" {
		path = appPath(app, "dynos", name)
	}
	return c.call(ctx, http.MethodDelete, path, nil, nil)
}

// RestartType starts all dynos of a type again.
func (c *Client) RestartType(ctx context.Context, app, kind string) error {
	return c.call(ctx, http.MethodDelete, appPath(app, "formations", kind), nil, nil)
}

// Stop stops a dyno, or all of a type.
func (c *Client) Stop(ctx context.Context, app, name string) error {
	return c.call(ctx, http.MethodPost, appPath(app, "dynos", name, "actions", "stop"), nil, nil)
}

// StopType stops all dynos of a type.
func (c *Client) StopType(ctx context.Context, app, kind string) error {
	return c.call(ctx, http.MethodPost, appPath(app, "formations", kind, "actions", "stop"), nil, nil)
}

// Quota says how many dyno hours were used this month.
func (c *Client) Quota(ctx context.Context, app string) (q wire.Quota, err error) {
	err = c.call(ctx, http.MethodGet, appPath(app, "quota"), nil, &q)
	return q, err
}

// Formation lists the process types of an app, and how many dynos of each are
// wanted.
func (c *Client) Formation(ctx context.Context, app string) ([]wire.Formation, error) {
	return pages[wire.Formation](ctx, c, appPath(app, "formation"), "")
}

// Scale changes how many dynos are wanted, and returns what was changed.
func (c *Client) Scale(ctx context.Context, app string, updates []wire.FormationUpdate) (changed []wire.Formation, err error) {
	err = c.call(ctx, http.MethodPatch, appPath(app, "formation"), wire.FormationBatch{Updates: updates}, &changed)
	return changed, err
}
