package api

import (
	"fmt"
	"net/http"

	"slipway/internal/state"
	"slipway/internal/wire"
)

func (a *api) listCerts(r *http.Request, _ state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	all, err := a.Certs.Certs(r.Context(), app.Name)
	if err != nil {
		return 0, nil, err
	}
	out := make([]wire.Cert, 0, len(all))
	for _, c := range all {
		out = append(out, a.cert(app, c))
	}
	return http.StatusOK, out, nil
}

func (a *api) addCert(r *http.Request, by state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	var req wire.CertCreate
	if err := read(r, &req); err != nil {
		return 0, nil, err
	}
	if req.Chain == "" || req.Key == "" {
		return 0, nil, invalid(`a certificate needs "certificate_chain" and "private_key", both in PEM`)
	}
	if _, _, err := a.CheckCert(req.Chain, req.Key); err != nil {
		return 0, nil, invalid("the certificate cannot be used: %v", err)
	}
	c, err := a.Certs.AddCert(r.Context(), by, state.Cert{App: app.Name, Chain: req.Chain, Key: req.Key, Created: stamp()})
	if err != nil {
		return 0, nil, err
	}
	a.changed(app)
	return http.StatusCreated, a.cert(app, c), nil
}

func (a *api) removeCert(r *http.Request, by state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	all, err := a.Certs.Certs(r.Context(), app.Name)
	if err != nil {
		return 0, nil, err
	}
	id := r.PathValue("cert")
	for _, c := range all {
		if c.ID != id && certName(c) != id {
			continue
		}
		if err := a.Certs.DeleteCert(r.Context(), by, app.Name, c.ID); err != nil {
			return 0, nil, err
		}
		a.changed(app)
		return http.StatusOK, a.cert(app, c), nil
	}
	return 0, nil, fmt.Errorf("certificate %.40q: %w", id, state.ErrNotFound)
}

// cert leaves the key out.
func (a *api) cert(app state.App, c state.Cert) wire.Cert {
	// One that cannot be used any more is shown all the same, to be removed.
	hosts, until, err := a.CheckCert(c.Chain, c.Key)
	if err != nil || hosts == nil {
		hosts = []string{}
	}
	return wire.Cert{
		ID: c.ID, Name: certName(c), App: refTo(app), Chain: c.Chain, Domains: hosts,
		SSLCert: wire.SSLCert{Domains: hosts, ExpiresAt: until}, CreatedAt: c.Created, UpdatedAt: c.Created,
	}
}

// certName is a name of the form that Heroku gives to certificates.
func certName(c state.Cert) string {
	const enough = 8
	return "cert-" + c.ID[:min(len(c.ID), enough)]
}
