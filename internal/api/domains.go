package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"slipway/internal/state"
	"slipway/internal/wire"
)

func (a *api) listDomains(r *http.Request, _ state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	all, err := a.domains(r, app)
	return http.StatusOK, all, err
}

func (a *api) showDomain(r *http.Request, _ state.Actor) (int, any, error) {
	_, d, err := a.findDomain(r)
	return http.StatusOK, d, err
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
	certs, err := a.certsOf(r, app)
	if err != nil {
		return 0, nil, err
	}
	if err := checkEndpoint(certs, req.Endpoint, req.Hostname); err != nil {
		return 0, nil, err
	}
	d, err := a.Domains.AddDomain(r.Context(), by, state.Domain{App: app.Name, Hostname: req.Hostname, Created: stamp()})
	if err != nil {
		return 0, nil, err
	}
	a.changed(app)
	return http.StatusCreated, a.domain(app, d, certs), nil
}

// updateDomain changes nothing, since certificates are for the host names that
// are in them. It says whether what is asked for is so.
func (a *api) updateDomain(r *http.Request, _ state.Actor) (int, any, error) {
	app, d, err := a.findDomain(r)
	if err != nil {
		return 0, nil, err
	}
	var req wire.DomainUpdate
	if err := read(r, &req); err != nil {
		return 0, nil, err
	}
	certs, err := a.certsOf(r, app)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, d, checkEndpoint(certs, req.Endpoint, d.Hostname)
}

// checkEndpoint returns nil for no certificate, or for one that is for a host
// name.
func checkEndpoint(certs []cert, given *string, hostname string) error {
	if given == nil {
		return nil
	}
	for _, c := range certs {
		if *given != c.ID && *given != certName(c.Cert) {
			continue
		}
		if !c.isFor(hostname) {
			return invalid("the certificate %s is not for %.80q but for %.200q: bring one that is, with slipway certs:add", certName(c.Cert), hostname, strings.Join(c.hosts, ", "))
		}
		return nil
	}
	return invalid("there is no certificate %.40q: slipway certs lists them", *given)
}

func (a *api) removeDomain(r *http.Request, by state.Actor) (int, any, error) {
	app, d, err := a.findDomain(r)
	if err != nil {
		return 0, nil, err
	}
	if d.Kind != customDomain {
		return 0, nil, invalid("%s is the app's own host name, and stays: it goes with the app", d.Hostname)
	}
	if err := a.Domains.DeleteDomain(r.Context(), by, app.Name, d.Hostname); err != nil {
		return 0, nil, err
	}
	a.changed(app)
	return http.StatusOK, d, nil
}

// findDomain finds a domain by ID or host name.
func (a *api) findDomain(r *http.Request) (state.App, wire.Domain, error) {
	app, err := a.find(r)
	if err != nil {
		return app, wire.Domain{}, err
	}
	all, err := a.domains(r, app)
	if err != nil {
		return app, wire.Domain{}, err
	}
	given := r.PathValue("domain")
	kept, err := state.CheckHostname(given)
	for _, d := range all {
		if strings.EqualFold(given, d.ID) || strings.EqualFold(given, d.Hostname) || (err == nil && kept == d.Hostname) {
			return app, d, nil
		}
	}
	return app, wire.Domain{}, fmt.Errorf("domain %.80q: %w", given, state.ErrNotFound)
}

// domains are an app's host names, its own first.
func (a *api) domains(r *http.Request, app state.App) ([]wire.Domain, error) {
	all, err := a.Domains.Domains(r.Context(), app.Name)
	if err != nil {
		return nil, err
	}
	certs, err := a.certsOf(r, app)
	if err != nil {
		return nil, err
	}
	out := append(make([]wire.Domain, 0, len(all)+1), a.ownDomain(app, certs))
	for _, d := range all {
		out = append(out, a.domain(app, d, certs))
	}
	return out, nil
}

// The kinds and the status of domains. Heroku's clients wait for a domain that
// has another status.
const (
	ownKind      = "heroku"
	customDomain = "custom"
	domainStatus = "none"
)

func (a *api) ownDomain(app state.App, certs []cert) wire.Domain {
	host := a.ownHost(app)
	return wire.Domain{
		ID: idOf(app, "domain", "own"), App: refTo(app), Hostname: host, Kind: ownKind, Endpoint: endpointOf(certs, host),
		Status: domainStatus, CreatedAt: app.Created, UpdatedAt: app.Created,
	}
}

func (a *api) domain(app state.App, d state.Domain, certs []cert) wire.Domain {
	target := a.ownHost(app)
	return wire.Domain{
		ID: d.ID, App: refTo(app), Hostname: d.Hostname, Kind: customDomain, CNAME: &target, Endpoint: endpointOf(certs, d.Hostname),
		Status: domainStatus, CreatedAt: d.Created, UpdatedAt: d.Created,
	}
}

// endpointOf names the certificate of a host name, if one was brought.
func endpointOf(certs []cert, hostname string) *wire.Ref {
	for _, c := range certs {
		if c.isFor(hostname) {
			return &wire.Ref{ID: c.ID, Name: certName(c.Cert)}
		}
	}
	return nil
}

// ownHost is the app's own host name, APP.DOMAIN.
func (a *api) ownHost(app state.App) string {
	u, err := url.Parse(a.WebURL(app.Name))
	if err != nil {
		return ""
	}
	return u.Hostname()
}
