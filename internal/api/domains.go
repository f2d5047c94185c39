package api

import (
	"net/http"
	"net/url"

	"slipway/internal/state"
	"slipway/internal/wire"
)

func (a *api) listDomains(r *http.Request, _ state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	all, err := a.Domains.Domains(r.Context(), app.Name)
	if err != nil {
		return 0, nil, err
	}
	own := wire.Domain{
		ID: idOf(app, "domain", "own"), App: refTo(app), Hostname: a.ownHost(app), Kind: "heroku",
		Status: "succeeded", CreatedAt: app.Created, UpdatedAt: app.Created,
	}
	out := append(make([]wire.Domain, 0, len(all)+1), own)
	for _, d := range all {
		out = append(out, a.domain(app, d))
	}
	return http.StatusOK, out, nil
}

func (a *api) addDomain(r *http.Request, by state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	var req wire.DomainCreate
	if err := read(r, &req); err != nil {
		return 0, nil, err
	}
	if req.Hostname == "" {
		return 0, nil, invalid(`there is no host name to add: send it as "hostname"`)
	}
	d, err := a.Domains.AddDomain(r.Context(), by, state.Domain{App: app.Name, Hostname: req.Hostname, Created: stamp()})
	if err != nil {
		return 0, nil, err
	}
	a.changed(app)
	return http.StatusCreated, a.domain(app, d), nil
}

func (a *api) removeDomain(r *http.Request, by state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	all, err := a.Domains.Domains(r.Context(), app.Name)
	if err != nil {
		return 0, nil, err
	}
	gone := state.Domain{App: app.Name, Hostname: r.PathValue("domain")}
	if kept, err := state.CheckHostname(gone.Hostname); err == nil {
		gone.Hostname = kept
	}
	for _, d := range all {
		if d.ID == r.PathValue("domain") || d.Hostname == gone.Hostname {
			gone = d
			break
		}
	}
	if err := a.Domains.DeleteDomain(r.Context(), by, app.Name, gone.Hostname); err != nil {
		return 0, nil, err
	}
	a.changed(app)
	return http.StatusOK, a.domain(app, gone), nil
}

// ownHost is the app's own host name, APP.DOMAIN.
func (a *api) ownHost(app state.App) string {
	u, err := url.Parse(a.WebURL(app.Name))
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func (a *api) domain(app state.App, d state.Domain) wire.Domain {
	target := a.ownHost(app)
	return wire.Domain{
		ID: d.ID, App: refTo(app), Hostname: d.Hostname, Kind: "custom", CNAME: &target,
		Status: "succeeded", CreatedAt: d.Created, UpdatedAt: d.Created,
	}
}
