package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"slipway/internal/wire"
)

// uploadTimeout bounds the upload of a tarball.
const uploadTimeout = 30 * time.Minute

// Builds lists an app's newest builds, the newest first.
func (c *Client) Builds(ctx context.Context, app string, limit int) (all []wire.Build, err error) {
	err = c.call(ctx, http.MethodGet, appPath(app, "builds")+"?limit="+strconv.Itoa(limit), nil, &all)
	slices.SortStableFunc(all, func(x, y wire.Build) int { return y.CreatedAt.Compare(x.CreatedAt) })
	return all, err
}

// Build finds a build of an app.
func (c *Client) Build(ctx context.Context, app, id string) (b wire.Build, err error) {
	err = c.call(ctx, http.MethodGet, appPath(app, "builds", id), nil, &b)
	return b, err
}

// CreateBuild begins to build and release a tarball.
func (c *Client) CreateBuild(ctx context.Context, app string, create wire.BuildCreate) (b wire.Build, err error) {
	err = c.call(ctx, http.MethodPost, appPath(app, "builds"), create, &b)
	return b, err
}

// CancelBuild ends a build as Ctrl-C at its push does.
func (c *Client) CancelBuild(ctx context.Context, app, id string) (b wire.Build, err error) {
	err = c.call(ctx, http.MethodDelete, appPath(app, "builds", id), nil, &b)
	return b, err
}

// PurgeCache forgets what an app's builds left for the next ones.
func (c *Client) PurgeCache(ctx context.Context, app string) error {
	return c.call(ctx, http.MethodDelete, appPath(app, "build-cache"), nil, nil)
}

// Upload sends a gzipped tarball to the server, and returns the address from
// which it can be built.
func (c *Client) Upload(ctx context.Context, tarball io.Reader) (address string, err error) {
	var source wire.Source
	if err := c.call(ctx, http.MethodPost, "/sources", nil, &source); err != nil {
		return "", err
	}
	u, err := url.Parse(source.SourceBlob.PutURL)
	if err != nil {
		return "", fmt.Errorf("answer of %s is not Slipway's: it has no address to upload to", c.URL)
	}
	ctx, cancel := context.WithTimeout(ctx, uploadTimeout)
	defer cancel()
	// It is the server that the client knows, by whatever name the server knows itself.
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, c.base()+u.RequestURI(), tarball)
	if err != nil {
		return "", fmt.Errorf("server address %q: %w", c.URL, err)
	}
	req.Header.Set("User-Agent", c.header().Get("User-Agent"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", c.unreached(err)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxLine))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return "", fmt.Errorf("read answer of %s: %w", c.URL, err)
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return "", failure(resp, raw)
	}
	return source.SourceBlob.GetURL, nil
}
