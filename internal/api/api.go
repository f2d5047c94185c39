package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"slipway/internal/state"
	"slipway/internal/wire"
)

// Apps is what the API reads of the state.
type Apps interface {
	CreateApp(ctx context.Context, by state.Actor, app state.App) (state.App, error)
	App(ctx context.Context, name string) (state.App, error)
	Apps(ctx context.Context) ([]state.App, error)
	Releases(ctx context.Context, app string, limit int) ([]state.Release, error)
	Release(ctx context.Context, app string, version int) (state.Release, error)
}

// Keys is where the API keeps SSH keys.
type Keys interface {
	AddKey(ctx context.Context, by state.Actor, key state.Key) error
	Keys(ctx context.Context) ([]state.Key, error)
	DeleteKey(ctx context.Context, by state.Actor, fingerprint string) error
}

// Config configures the API. All fields but Log are required.
type Config struct {
	Apps Apps
	Keys Keys
	// Destroy removes an app with all that belongs to it.
	Destroy func(ctx context.Context, by state.Actor, app string) error
	// SignIn returns the user that a token stands for, or an error.
	SignIn func(ctx context.Context, token string) (user string, err error)
	// GitURL, WebURL and ImageName say where an app's parts are reached.
	GitURL    func(app string) string
	WebURL    func(app string) string
	ImageName func(app string, rel state.Release) string
	Log       *zap.Logger // nothing is logged if nil
}

type api struct {
	Config
	log *zap.Logger
}

// maxBody bounds a request's body, in bytes.
const maxBody = 1 << 20

// New returns the API's handler, and the paths that it answers.
func New(cfg Config) (http.Handler, []string) {
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	a := &api{Config: cfg, log: cfg.Log.Named("api")}
	mux := http.NewServeMux()
	routes := map[string]func(*http.Request, string) (int, any, error){
		"GET /account":                          a.account,
		"GET /apps":                             a.listApps,
		"POST /apps":                            a.createApp,
		"GET /apps/{app}":                       a.showApp,
		"DELETE /apps/{app}":                    a.destroyApp,
		"GET /apps/{app}/releases":              a.listReleases,
		"GET /apps/{app}/releases/{v}":          a.showRelease,
		"GET /account/keys":                     a.listKeys,
		"POST /account/keys":                    a.addKey,
		"DELETE /account/keys/{fingerprint...}": a.removeKey,
	}
	for pattern, serve := range routes {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { a.answer(w, r, serve) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		a.fail(w, r, fmt.Errorf("%s %s: %w", r.Method, r.URL.Path, errNoRoute))
	})
	return mux, []string{"/account", "/account/", "/apps", "/apps/"}
}

// answer signs a request in, runs it, and writes what comes of it.
func (a *api) answer(w http.ResponseWriter, r *http.Request, serve func(*http.Request, string) (int, any, error)) {
	user, err := a.SignIn(r.Context(), token(r))
	if err != nil {
		a.fail(w, r, errors.Join(errUnauthorized, err))
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	status, body, err := serve(r, user)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	writeJSON(w, status, body)
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

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "private, no-store")
	w.WriteHeader(status)
	if body != nil {
		_ = json.NewEncoder(w).Encode(body) // the client is gone: nobody is left to tell
	}
}

func read(r *http.Request, into any) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		// A browser's form must not act with the credentials that the browser keeps.
		return fmt.Errorf("the request's body must be application/json: %w", errInvalid)
	}
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("the request's body is not the JSON object that this address takes: %w", errInvalid)
	}
	if dec.More() {
		return fmt.Errorf("the request's body goes on after its JSON object: %w", errInvalid)
	}
	return nil
}

func (a *api) account(_ *http.Request, user string) (int, any, error) {
	return http.StatusOK, wire.Account{Email: user}, nil
}

func version(r *http.Request) (int, error) {
	text := strings.TrimPrefix(r.PathValue("v"), "v")
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("release %.20q: %w", text, state.ErrNotFound)
	}
	return n, nil
}

// actor is who makes a request, and from where.
func actor(r *http.Request, user string) state.Actor {
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		from = r.RemoteAddr // a socket's has no port
	}
	return state.Actor{User: user, From: from}
}

func stamp() time.Time { return time.Now().UTC() }
