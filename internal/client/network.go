package client

import (
	"context"
	"net/http"

	"slipway/internal/wire"
)

// Domains lists an app's host names, its own first.
func (c *Client) Domains(ctx context.Context, app string) ([]wire.Domain, error) {
	return pages[wire.Domain](ctx, c, appPath(app, "domains"), "")
}

// Domain finds a host name of an app.
func (c *Client) Domain(ctx context.Context, app, hostname string) (d wire.Domain, err error) {
	err = c.call(ctx, http.MethodGet, appPath(app, "domains", hostname), nil, &d)
	return d, err
}

// AddDomain gives an app a host name.
func (c *Client) AddDomain(ctx context.Context, app string, o wire.DomainCreate) (d wire.Domain, err error) {
	err = c.call(ctx, http.MethodPost, appPath(app, "domains"), o, &d)
	return d, err
}

// RemoveDomain takes a host name away from an app, and returns what it was.
func (c *Client) RemoveDomain(ctx context.Context, app, hostname string) (d wire.Domain, err error) {
	err = c.call(ctx, http.MethodDelete, appPath(app, "domains", hostname), nil, &d)
	return d, err
}

// Certs lists the certificates that somebody brought for an app.
func (c *Client) Certs(ctx context.Context, app string) ([]wire.Cert, error) {
	return pages[wire.Cert](ctx, c, appPath(app, "sni-endpoints"), "")
}

// AddCert gives an app a certificate; both parts are PEM.
func (c *Client) AddCert(ctx context.Context, app, chain, key string) (cert wire.Cert, err error) {
	err = c.call(ctx, http.MethodPost, appPath(app, "sni-endpoints"), wire.CertCreate{Chain: chain, Key: key}, &cert)
	return cert, err
}

// UpdateCert puts another certificate in the place of one, by ID or name; both
// parts are PEM.
func (c *Client) UpdateCert(ctx context.Context, app, id, chain, key string) (cert wire.Cert, err error) {
	err = c.call(ctx, http.MethodPatch, appPath(app, "sni-endpoints", id), wire.CertCreate{Chain: chain, Key: key}, &cert)
	return cert, err
}

// RemoveCert removes a certificate, by ID or name, and returns what it was.
func (c *Client) RemoveCert(ctx context.Context, app, id string) (cert wire.Cert, err error) {
	err = c.call(ctx, http.MethodDelete, appPath(app, "sni-endpoints", id), nil, &cert)
	return cert, err
}

// Drains lists where an app's log is sent to.
func (c *Client) Drains(ctx context.Context, app string) ([]wire.Drain, error) {
	return pages[wire.Drain](ctx, c, appPath(app, "log-drains"), "")
}

// AddDrain sends an app's log to an address.
func (c *Client) AddDrain(ctx context.Context, app, address string) (d wire.Drain, err error) {
	err = c.call(ctx, http.MethodPost, appPath(app, "log-drains"), wire.DrainCreate{URL: address}, &d)
	return d, err
}

// RemoveDrain removes a drain, by ID, token or address, and returns what it was.
func (c *Client) RemoveDrain(ctx context.Context, app, id string) (d wire.Drain, err error) {
	err = c.call(ctx, http.MethodDelete, appPath(app, "log-drains", id), nil, &d)
	return d, err
}
