package api

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"slipway/internal/state"
	"slipway/internal/wire"
)

// A Handler serves the API.
type Handler struct {
	mux *http.ServeMux
	api *api
}

// New returns the API's handler, and the paths that it answers.
func New(cfg Config) (*Handler, []string) {
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	a := &api{
		Config: cfg, log: cfg.Log.Named("api"),
		scaling: make(chan struct{}, 1), sessions: newSessions(),
	}
	mux := http.NewServeMux()
	for pattern, serve := range a.routes() {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { a.answer(w, r, serve) })
	}
	mux.HandleFunc("GET /apps/{app}/dynos/{dyno}/attach", a.attach)
	mux.HandleFunc("GET /apps/{app}/log-sessions/{token}", a.streamLogs)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		a.fail(w, r, fmt.Errorf("%s %s: %w", r.Method, r.URL.Path, errNoRoute))
	})
	return &Handler{mux: mux, api: a}, []string{"/account", "/account/", "/apps", "/apps/"}
}

// ServeHTTP answers a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// Wait returns when nobody is attached to a dyno any more. Call it when no
// requests come in: the HTTP server knows nothing of those connections.
func (h *Handler) Wait() { h.api.attached.Wait() }

type api struct {
	Config
	log      *zap.Logger
	scaling  chan struct{} // holds one token while a formation is changed
	sessions *sessions
	attached sync.WaitGroup
}

// A serve answers a request of somebody who has signed in.
type serve func(r *http.Request, by state.Actor) (status int, body any, err error)

func (a *api) routes() map[string]serve {
	all := map[string]serve{
		"GET /account":                          a.account,
		"GET /apps":                             a.listApps,
		"POST /apps":                            a.createApp,
		"GET /apps/{app}":                       a.showApp,
		"DELETE /apps/{app}":                    a.destroyApp,
		"GET /apps/{app}/releases":              a.listReleases,
		"GET /apps/{app}/releases/{v}":          a.showRelease,
		"GET /apps/{app}/config-vars":           a.showConfig,
		"GET /account/keys":                     a.listKeys,
		"POST /account/keys":                    a.addKey,
		"DELETE /account/keys/{fingerprint...}": a.removeKey,
	}
	optional := func(have bool, routes map[string]serve) {
		for pattern, serve := range routes {
			if !have {
				serve = missing
			}
			all[pattern] = serve
		}
	}
	optional(a.Settings != nil, map[string]serve{
		"PATCH /apps/{app}":                a.updateApp,
		"GET /apps/{app}/audit":            a.listAudits,
		"GET /apps/{app}/formation":        a.listFormation,
		"GET /apps/{app}/formation/{type}": a.showFormation,
	})
	optional(a.Deploys != nil, map[string]serve{
		"PATCH /apps/{app}/config-vars": a.setConfig,
		"POST /apps/{app}/releases":     a.rollback,
	})
	optional(a.Deploys != nil && a.Settings != nil, map[string]serve{
		"PATCH /apps/{app}/formation":        a.scaleBatch,
		"PATCH /apps/{app}/formation/{type}": a.scaleOne,
	})
	optional(a.Dynos != nil, map[string]serve{
		"GET /apps/{app}/dynos":                           a.listDynos,
		"POST /apps/{app}/dynos":                          a.createDyno,
		"GET /apps/{app}/dynos/{dyno}":                    a.showDyno,
		"DELETE /apps/{app}/dynos":                        a.restartAll,
		"DELETE /apps/{app}/dynos/{dyno}":                 a.restartDyno,
		"DELETE /apps/{app}/formations/{type}":            a.restartType,
		"POST /apps/{app}/dynos/{dyno}/actions/stop":      a.stopDyno,
		"POST /apps/{app}/formations/{type}/actions/stop": a.stopType,
		"GET /apps/{app}/quota":                           a.showQuota,
	})
	optional(a.Logs != nil, map[string]serve{"POST /apps/{app}/log-sessions": a.createLogSession})
	optional(a.Domains != nil, map[string]serve{
		"GET /apps/{app}/domains":             a.listDomains,
		"POST /apps/{app}/domains":            a.addDomain,
		"DELETE /apps/{app}/domains/{domain}": a.removeDomain,
	})
	optional(a.Certs != nil && a.CheckCert != nil, map[string]serve{
		"GET /apps/{app}/sni-endpoints":           a.listCerts,
		"POST /apps/{app}/sni-endpoints":          a.addCert,
		"DELETE /apps/{app}/sni-endpoints/{cert}": a.removeCert,
	})
	optional(a.Drains != nil, map[string]serve{
		"GET /apps/{app}/log-drains":            a.listDrains,
		"POST /apps/{app}/log-drains":           a.addDrain,
		"DELETE /apps/{app}/log-drains/{drain}": a.removeDrain,
	})
	return all
}

func missing(*http.Request, state.Actor) (int, any, error) { return 0, nil, errMissing }

// answer signs a request in, runs it, and writes what comes of it.
func (a *api) answer(w http.ResponseWriter, r *http.Request, serve serve) {
	by, err := a.signIn(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	status, body, err := serve(r, by)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	writeJSON(w, status, body)
}

// signIn says who a request is from.
func (a *api) signIn(r *http.Request) (state.Actor, error) {
	user, err := a.SignIn(r.Context(), token(r))
	if err != nil {
		return state.Actor{}, errors.Join(errUnauthorized, err)
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr // of a Unix socket, say
	}
	return state.Actor{User: user, From: host}, nil
}

func token(r *http.Request) string {
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	kind, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(kind, "Bearer") {
		return value
	}
	return ""
}

func (a *api) account(_ *http.Request, by state.Actor) (int, any, error) {
	return http.StatusOK, wire.Account{Email: by.User}, nil
}

func stamp() time.Time { return time.Now().UTC() }
