package server

import (
	"context"
	"errors"
	"strings"
	"sync"

	"slipway/internal/dyno"
	"slipway/internal/router"
	"slipway/internal/state"
	"slipway/internal/state/sqlstore"
)

// maxHosts bounds what is remembered of host names, which strangers choose.
const maxHosts = 10_000

// hosts tells the router whose a host name is, and passes its questions on to
// the dynos.
type hosts struct {
	dynos  *dyno.Manager
	store  *sqlstore.Store
	suffix string // ".DOMAIN"
	own    string // the server's host name, which is no app's

	mu    sync.Mutex
	known map[string]string // custom domains; "" for what is none
}

var _ router.Apps = (*hosts)(nil)

func newHosts(dynos *dyno.Manager, store *sqlstore.Store, domain, own string) *hosts {
	return &hosts{dynos: dynos, store: store, suffix: "." + strings.ToLower(domain), own: strings.ToLower(own), known: make(map[string]string)}
}

// Find implements router.Apps.
func (h *hosts) Find(ctx context.Context, host string) (string, bool) {
	if host == h.own || !strings.Contains(host, ".") {
		return "", false
	}
	if label, ok := strings.CutSuffix(host, h.suffix); ok && !strings.Contains(label, ".") {
		return label, h.dynos.Knows(ctx, label)
	}
	h.mu.Lock()
	app, ok := h.known[host]
	h.mu.Unlock()
	if ok {
		return app, app != ""
	}
	d, err := h.store.DomainOf(ctx, host)
	if err != nil && !errors.Is(err, state.ErrNotFound) {
		return "", false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.known) >= maxHosts {
		clear(h.known)
	}
	h.known[host] = d.App
	return d.App, d.App != ""
}

// forget drops what is remembered, after domains or apps have changed.
func (h *hosts) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.known)
}

// Upstream implements router.Apps.
func (h *hosts) Upstream(ctx context.Context, app string) (router.Upstream, func(), error) {
	route, err := h.dynos.Route(ctx, app)
	if down := (*dyno.MaintenanceError)(nil); errors.As(err, &down) {
		return router.Upstream{}, nil, &router.MaintenanceError{Page: down.Page}
	}
	if err != nil {
		for ours, theirs := range map[error]error{
			dyno.ErrCrashed: router.ErrCrashed, dyno.ErrNoWeb: router.ErrNoWeb, dyno.ErrNoSlug: router.ErrBlank,
			dyno.ErrQuota: router.ErrQuota, dyno.ErrBacklog: router.ErrBacklog,
			dyno.ErrClosed: router.ErrBacklog, state.ErrNotFound: router.ErrNoWeb,
		} {
			if errors.Is(err, ours) {
				return router.Upstream{}, nil, theirs
			}
		}
		return router.Upstream{}, nil, err
	}
	return router.Upstream{Name: route.Dyno, Key: route.Key, Dial: route.Dial}, route.Done, nil
}

// Failed implements router.Apps.
func (h *hosts) Failed(app string, up router.Upstream) { h.dynos.Failed(app, up.Key) }
