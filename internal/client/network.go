package client

import (
	"context"
	"net/http"

	"slipway/internal/wire"
)

// Domains lists an app's host names, its own first.
func (c *Client) Domains(ctx context.Context, app string) (all []wire.Domain, err error) {
	err = c.call(ctx, http.MethodGet, appPath(app, "domains"), nil, &all)
	return all, err
}

// AddDomain gives an app a host name.
func (c *Client) AddDomain(ctx context.Context, app, hostname string) (d wire.Domain, err error) {
	err = c.call(ctx, http.MethodPost, appPath(app, "domains"), wire.DomainCreate{Hostname: hostname}, &d)
	return d, err
}

// RemoveDomain takes a host name away from an app.
func (c *Client) RemoveDomain(ctx context.Context, app, hostname string) error {
	return c.call(ctx, http.MethodDelete, appPath(app, "domains", hostname), nil, nil)
}

// Certs lists the certificates that somebody brought for an app.
func (c *Client) Certs(ctx context.Context, app string) (all []wire.Cert, err error) {
	err = c.call(ctx, http.MethodGet, appPath(app, "sni-endpoints"), nil, &all)
	return all, err
}

// AddCert gives an app a certificate; both parts are PEM.
func (c *Client) AddCert(ctx context.Context, app, chain, key string) (cert wire.Cert, err error) {
	err = c.call(ctx, http.MethodPost, appPath(app, "sni-endpoints"), wire.CertCreate{Chain: chain, Key: key}, &cert)
	return cert, err
}

// RemoveCert removes a certificate, by ID or name.
func (c *Client) RemoveCert(ctx context.Context, app, id string) error {
	return c.call(ctx, http.MethodDelete, appPath(app, "sni-endpoints", id), nil, nil)
}

// Drains lists where an app's log is sent to.
func (c *Client) Drains(ctx context.Context, app string) (all []wire.Drain, err error) {
	err = c.call(ctx, http.MethodGet, appPath(app, "log-drains"), nil, &all)
	return all, err
}

// AddDrain sends an app's log to an address.
func (c *Client) AddDrain(ctx context.Context, app, address string) (d wire.Drain, err error) {
	err = c.call(ctx, http.MethodPost, appPath(app, "log-drains"), wire.DrainCreate{URL: address}, &d)
	return d, err
}

// RemoveDrain removes a drain, by ID, token or address.
func (c *Client) RemoveDrain(ctx context.Context, app, id string) error {
	return c.call(ctx, http.MethodDelete, appPath(app, "log-drains", id), nil, nil)
}
