package api

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"slipway/internal/state"
)

// A Handler serves the API.
type Handler struct {
	http.Handler
	api *api
}

// New returns the API's handler.
func New(cfg Config) *Handler {
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	a := &api{
		Config: cfg, log: cfg.Log.Named("api"),
		scaling: make(chan struct{}, 1), sessions: newSessions(), rates: newRates(cfg.APIRate),
		outputKey: newKey(),
		meetings:  newMeetings(),
	}
	mux := http.NewServeMux()
	for pattern, serve := range a.routes() {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { a.answer(w, r, serve) })
	}
	mux.HandleFunc("GET /apps/{app}/dynos/{dyno}/attach", a.attach)
	mux.HandleFunc("GET /apps/{app}/log-sessions/{token}", a.streamLogs)
	if a.haveBuilds() {
		mux.HandleFunc("GET /apps/{app}/builds/{name}/output/{token}", a.streamOutput)
		mux.HandleFunc("GET /apps/{app}/releases/{name}/output/{token}", a.streamOutput)
	}
	if a.canBuild() {
		mux.HandleFunc("PUT "+sourcesPath+"/{file}", a.putSource)
		mux.HandleFunc("GET "+sourcesPath+"/{file}", a.getSource)
	}
	if a.haveAccounts() {
		mux.HandleFunc("POST /auth", a.beginLogin)
		mux.HandleFunc("GET /auth/cli/{login}", a.awaitLogin)
		mux.HandleFunc("GET /auth/browser/{login}", a.showLogin)
		mux.HandleFunc("POST /auth/browser/{login}", a.finishLogin)
	}
	mux.Handle("/", a.otherwise(mux))
	handler := withRequestID(a.withSameOrigin(a.withVersion(withTidyPath(mux))))
	return &Handler{Handler: handler, api: a}
}

// Wait returns when nobody is attached to a dyno any more. Call it when no
// requests come in: the HTTP server knows nothing of those connections.
func (h *Handler) Wait() { h.api.attached.Wait() }

type api struct {
	Config
	log      *zap.Logger
	scaling  chan struct{} // holds one token while a formation is changed
	sessions *sessions
	meetings *meetings
	rates    *rates // nil if nothing is counted
	// outputKey signs the addresses of outputs.
	outputKey []byte
	logins    logins
	attached  sync.WaitGroup
}

// A serve answers a request of somebody who has signed in.
type serve func(r *http.Request, by state.Actor) (status int, body any, err error)

// answer signs a request in, runs it, and writes what comes of it.
func (a *api) answer(w http.ResponseWriter, r *http.Request, serve serve) {
	asked := r
	by, err := a.signIn(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if err := a.count(w, r, by); err != nil {
		a.fail(w, r, err)
		return
	}
	if r, err = a.admit(r, by); err != nil {
		a.fail(w, asked, err)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	status, body, err := serve(r, by)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	p, listed, err := cut(r, body)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if listed {
		status, body = p.header(w.Header()), p.items
	}
	if err := send(w, r, status, body); err != nil {
		a.fail(w, r, err)
	}
}

// signIn says who a request is from.
func (a *api) signIn(r *http.Request) (state.Actor, error) {
	user, err := a.SignIn(r.Context(), token(r))
	if err != nil {
		return state.Actor{}, errors.Join(errUnauthorized, err)
	}
	return state.Actor{User: user, From: remoteHost(r)}, nil
}

func remoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr // of a Unix socket, say
	}
	return host
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

// stamp is now, as exactly as the state keeps it.
func stamp() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
