package apitest

import (
	"context"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"slipway/internal/api"
	"slipway/internal/outputs"
	"slipway/internal/sources"
	"slipway/internal/state"
	"slipway/internal/state/sqlstore"
	"slipway/internal/testkit/herokuschema"
)

// Token signs in as ann.
const Token = "a-token-that-is-good"

// MaxSource is how large an upload can be, in bytes.
const MaxSource = 64 << 10

// A Server serves the API. It has the apps shop, with a release v1 that has the
// types web, worker and release, and bare, with none.
type Server struct {
	URL      string
	Handler  *api.Handler
	Store    *sqlstore.Store
	Dynos    *Dynos
	Deploys  *Deploys
	Logs     *Logs
	Building *Building
	Outputs  *outputs.Store
	Sources  *sources.Store
	Log      *observer.ObservedLogs // the server's own
	Stop     func()                 // ends log streams, once

	mu      sync.Mutex
	changed []string
}

// Start starts a server, in which users may use their own apps, and which stops
// when the test ends. The changes are made to its configuration before. Each of
// its answers is checked against Heroku's schema.
func Start(t *testing.T, changes ...func(*api.Config)) *Server {
	t.Helper()
	ctx := t.Context()
	store := openStore(ctx, t)
	kept, err := outputs.Open(outputs.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	uploads, err := sources.Open(sources.Config{Dir: t.TempDir(), MaxBytes: MaxSource})
	if err != nil {
		t.Fatal(err)
	}
	core, observed := observer.New(zap.DebugLevel)
	stopping := make(chan struct{})
	s := &Server{
		Store: store, Log: observed, Stop: sync.OnceFunc(func() { close(stopping) }),
		Dynos: &Dynos{}, Deploys: &Deploys{store: store}, Logs: &Logs{more: make(chan struct{})},
		Building: &Building{store: store, outputs: kept}, Outputs: kept, Sources: uploads,
	}
	cfg := api.Config{
		Apps: store, Keys: store, Destroy: store.DeleteApp,
		Accounts: store, Tokens: store, Collaborators: store,
		Settings: store, Domains: store, Certs: store, Drains: store,
		Buildpacks: store, CheckBuildpacks: CheckBuildpacks,
		Dynos: s.Dynos, Deploys: s.Deploys, Logs: s.Logs,
		Builds: store, Outputs: kept, Building: s.Building, Sources: uploads, Fetch: fetch,
		CheckCert: CheckCert, Changed: s.noteChange, Stopping: stopping, Log: zap.New(core),
		SignIn: func(ctx context.Context, given string) (string, error) {
			if given == Token {
				return "ann", nil
			}
			t, err := store.TokenOf(ctx, state.HashToken(given))
			return t.User, err
		},
		MayUse: func(ctx context.Context, user, app string) error {
			may, err := store.MayUse(ctx, user, app)
			if err == nil && !may {
				err = state.NoAccess(user, app)
			}
			return err
		},
		GitURL:    func(app string) string { return "http://host/" + app + ".git" },
		WebURL:    func(app string) string { return "http://" + app + ".host/" },
		ImageName: func(app string, rel state.Release) string { return "host/" + app + ":" + rel.Tag() },
	}
	for _, change := range changes {
		change(&cfg)
	}
	handler := api.New(cfg)
	s.Handler = handler
	watch := herokuschema.Watch(func(err error) { t.Errorf("an answer breaks Heroku's schema: %v", err) })
	srv := httptest.NewServer(watch.Handler(handler))
	s.URL = srv.URL
	t.Cleanup(func() {
		s.Stop()
		srv.Close()
		handler.Wait()
		if watch.Checked() == 0 {
			t.Error("not one answer of the API was checked")
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// AddUser makes an account, and returns a token that signs it in.
func (s *Server) AddUser(t *testing.T, email string, admin bool) string {
	t.Helper()
	by := state.Actor{User: state.AdminUser}
	if _, err := s.Store.AddAccount(t.Context(), by, email, admin); err != nil {
		t.Fatal(err)
	}
	token, hint := state.NewToken()
	_, err := s.Store.AddToken(t.Context(), by, state.Token{User: email, Hash: state.HashToken(token), Hint: hint})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func fill(ctx context.Context, t *testing.T, store *sqlstore.Store) {
	t.Helper()
	ann := state.Actor{User: "ann"}
	for _, name := range []string{"shop", "bare"} {
		if _, err := store.CreateApp(ctx, ann, state.App{Name: name, Owner: "ann", Created: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	rel := state.Release{
		App: "shop", Slug: "sha256:ab", Commit: "cd", Created: time.Now(), Description: "Deploy cd",
		Processes: []state.Process{{Type: "web", Command: "serve"}, {Type: "worker", Command: "work"}, {Type: "release", Command: "migrate"}},
	}
	if _, err := store.AddRelease(ctx, ann, rel, 0); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) noteChange(app string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed = append(s.changed, app)
}

// Changed lists the apps of which the server was told that they have changed.
func (s *Server) Changed() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.changed)
}
