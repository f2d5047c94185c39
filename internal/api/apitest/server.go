package apitest

import (
	"context"
	"errors"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"slipway/internal/api"
	"slipway/internal/state"
	"slipway/internal/state/sqlite"
	"slipway/internal/state/sqlstore"
	"slipway/internal/state/statetest"
)

// Token signs in as ann.
const Token = "a-token-that-is-good"

// A Server serves the API. It has the apps shop, with a release v1 that has the
// types web, worker and release, and bare, with none.
type Server struct {
	URL     string
	Store   *sqlstore.Store
	Dynos   *Dynos
	Deploys *Deploys
	Logs    *Logs
	Log     *observer.ObservedLogs // the server's own
	Stop    func()                 // ends log streams, once

	mu      sync.Mutex
	changed []string
}

// Start starts a server, which stops when the test ends. The changes are made to
// its configuration before.
func Start(t *testing.T, changes ...func(*api.Config)) *Server {
	t.Helper()
	ctx := t.Context()
	store, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "state.db"), statetest.Sealer(t))
	if err != nil {
		t.Fatal(err)
	}
	fill(ctx, t, store)
	core, observed := observer.New(zap.DebugLevel)
	stopping := make(chan struct{})
	s := &Server{
		Store: store, Log: observed, Stop: sync.OnceFunc(func() { close(stopping) }),
		Dynos: &Dynos{}, Deploys: &Deploys{store: store}, Logs: &Logs{more: make(chan struct{})},
	}
	cfg := api.Config{
		Apps: store, Keys: store, Destroy: store.DeleteApp,
		Settings: store, Domains: store, Certs: store, Drains: store,
		Dynos: s.Dynos, Deploys: s.Deploys, Logs: s.Logs,
		CheckCert: CheckCert, Changed: s.noteChange, Stopping: stopping, Log: zap.New(core),
		SignIn: func(_ context.Context, given string) (string, error) {
			if given != Token {
				return "", errors.New("unknown token")
			}
			return "ann", nil
		},
		GitURL:    func(app string) string { return "http://host/" + app + ".git" },
		WebURL:    func(app string) string { return "http://" + app + ".host" },
		ImageName: func(app string, rel state.Release) string { return "host/" + app + ":" + rel.Tag() },
	}
	for _, change := range changes {
		change(&cfg)
	}
	handler, _ := api.New(cfg)
	srv := httptest.NewServer(handler)
	s.URL = srv.URL
	t.Cleanup(func() {
		s.Stop()
		srv.Close()
		handler.Wait()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
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
