package client

import (
	"context"
	"net/http"

	"slipway/internal/wire"
)

// Buildpacks lists those that an app was set to use, in their order, or the one
// that its newest build chose.
func (c *Client) Buildpacks(ctx context.Context, app string) ([]wire.BuildpackInstallation, error) {
	return pages[wire.BuildpackInstallation](ctx, c, appPath(app, "buildpack-installations"), "")
}

// SetBuildpacks replaces the buildpacks of an app, and returns them as they are
// stored. With none, its files decide.
func (c *Client) SetBuildpacks(ctx context.Context, app string, names []string) (all []wire.BuildpackInstallation, err error) {
	req := wire.BuildpackUpdates{Updates: make([]wire.BuildpackUpdate, 0, len(names))}
	for _, name := range names {
		req.Updates = append(req.Updates, wire.BuildpackUpdate{Buildpack: name})
	}
	err = c.call(ctx, http.MethodPut, appPath(app, "buildpack-installations"), req, &all)
	return all, err
}
