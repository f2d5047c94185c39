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
	all, err := a.certsOf(r, app)
	if err != nil {
		return 0, nil, err
	}
	domains, err := a.domainsIfAny(r, app)
	if err != nil {
		return 0, nil, err
	}
	out := make([]wire.Cert, 0, len(all))
	for _, c := range all {
		out = append(out, c.show(app, domains))
	}
	return http.StatusOK, out, nil
}

func (a *api) showCert(r *http.Request, _ state.Actor) (int, any, error) {
	app, c, err := a.findCert(r)
	if err != nil {
		return 0, nil, err
	}
	return a.answerCert(r, http.StatusOK, app, c)
}

func (a *api) addCert(r *http.Request, by state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	req, err := a.readCert(r)
	if err != nil {
		return 0, nil, err
	}
	c, err := a.Certs.AddCert(r.Context(), by, state.Cert{App: app.Name, Chain: req.Chain, Key: req.Key, Created: stamp()})
	if err != nil {
		return 0, nil, err
	}
	a.changed(app)
	return a.answerCert(r, http.StatusCreated, app, a.look(c))
}

func (a *api) updateCert(r *http.Request, by state.Actor) (int, any, error) {
	app, c, err := a.findCert(r)
	if err != nil {
		return 0, nil, err
	}
	req, err := a.readCert(r)
	if err != nil {
		return 0, nil, err
	}
	c.Chain, c.Key = req.Chain, req.Key
	if err := a.Certs.ReplaceCert(r.Context(), by, c.Cert); err != nil {
		return 0, nil, err
	}
	a.changed(app)
	return a.answerCert(r, http.StatusOK, app, a.look(c.Cert))
}

func (a *api) removeCert(r *http.Request, by state.Actor) (int, any, error) {
	app, c, err := a.findCert(r)
	if err != nil {
		return 0, nil, err
	}
	if err := a.Certs.DeleteCert(r.Context(), by, app.Name, c.ID); err != nil {
		return 0, nil, err
	}
	a.changed(app)
	return a.answerCert(r, http.StatusOK, app, c)
}

// readCert reads a certificate that can be used.
func (a *api) readCert(r *http.Request) (req wire.CertCreate, err error) {
	if err := read(r, &req); err != nil {
		return req, err
	}
	if req.Chain == "" || req.Key == "" {
		return req, invalid(`a certificate needs "certificate_chain" and "private_key", both in PEM`)
	}
	if _, _, err := a.CheckCert(req.Chain, req.Key); err != nil {
		return req, invalid("the certificate cannot be used: %v", err)
	}
	return req, nil
}

// findCert finds a certificate by ID or name.
func (a *api) findCert(r *http.Request) (state.App, cert, error) {
	app, err := a.find(r)
	if err != nil {
		return app, cert{}, err
	}
	all, err := a.certsOf(r, app)
	if err != nil {
		return app, cert{}, err
	}
	given := r.PathValue("cert")
	for _, c := range all {
		if c.ID == given || certName(c.Cert) == given {
			return app, c, nil
		}
	}
	return app, cert{}, fmt.Errorf("certificate %.40q: %w", given, state.ErrNotFound)
}

func (a *api) answerCert(r *http.Request, status int, app state.App, c cert) (int, any, error) {
	domains, err := a.domainsIfAny(r, app)
	return status, c.show(app, domains), err
}

// domainsIfAny are an app's host names, where the server has such.
func (a *api) domainsIfAny(r *http.Request, app state.App) ([]wire.Domain, error) {
	if a.Domains == nil {
		return nil, nil
	}
	return a.domains(r, app)
}

// certsOf are an app's certificates, where the server has such.
func (a *api) certsOf(r *http.Request, app state.App) ([]cert, error) {
	if a.Certs == nil || a.CheckCert == nil {
		return nil, nil
	}
	all, err := a.Certs.Certs(r.Context(), app.Name)
	if err != nil {
		return nil, err
	}
	out := make([]cert, 0, len(all))
	for _, c := range all {
		out = append(out, a.look(c))
	}
	return out, nil
}
