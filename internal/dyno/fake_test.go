package dyno_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/dyno"
	"slipway/internal/logs"
	"slipway/internal/state"
)

// fakeBackend keeps containers in memory.
type fakeBackend struct {
	mu         sync.Mutex
	containers []*fakeContainer
	behave     func(*fakeContainer) // called when a container starts
	prepared   map[dyno.Slug]int
	startErr   error
}

var _ dyno.Backend = (*fakeBackend)(nil)

type fakeContainer struct {
	spec    dyno.Spec
	ended   chan struct{}
	end     sync.Once
	exit    dyno.Exit
	onTerm  func(*fakeContainer) // nil: it exits with 143
	mu      sync.Mutex
	bound   bool
	removed bool
	termed  bool
}

var _ dyno.Container = (*fakeContainer)(nil)

func (*fakeBackend) Name() string { return "fake" }

func (b *fakeBackend) Prepare(_ context.Context, s dyno.Slug) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.prepared == nil {
		b.prepared = make(map[dyno.Slug]int)
	}
	b.prepared[s]++
	return nil
}

func (b *fakeBackend) Start(_ context.Context, spec dyno.Spec, _ dyno.Stdio) (dyno.Container, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.startErr != nil {
		return nil, b.startErr
	}
	c := &fakeContainer{spec: spec, ended: make(chan struct{}), bound: true}
	b.containers = append(b.containers, c)
	if b.behave != nil {
		b.behave(c)
	}
	return c, nil
}

func (b *fakeBackend) Keep(context.Context, func(dyno.Slug) bool) error { return nil }
func (b *fakeBackend) Close() error                                     { return nil }

// on sets what happens when a container starts.
func (b *fakeBackend) on(behave func(*fakeContainer)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.behave = behave
}

// all lists the containers that were started, also those that have ended.
func (b *fakeBackend) all() []*fakeContainer {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.containers)
}

// live lists the names of the dynos that run, with their slugs.
func (b *fakeBackend) live() string {
	var out []string
	for _, c := range b.all() {
		select {
		case <-c.ended:
		default:
			out = append(out, c.spec.Name+"@"+c.spec.Slug.Digest)
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func (c *fakeContainer) finish(exit dyno.Exit) {
	c.end.Do(func() { c.exit = exit; close(c.ended) })
}

func (c *fakeContainer) Wait(ctx context.Context) (dyno.Exit, error) {
	select {
	case <-c.ended:
		return c.exit, nil
	case <-ctx.Done():
		return dyno.Exit{}, ctx.Err()
	}
}

func (c *fakeContainer) Terminate(context.Context) error {
	c.mu.Lock()
	c.termed = true
	c.mu.Unlock()
	if c.onTerm != nil {
		c.onTerm(c)
		return nil
	}
	c.finish(dyno.Exit{Code: 143})
	return nil
}

func (c *fakeContainer) bind(yes bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bound = yes
}

func (c *fakeContainer) Dial(context.Context, uint16) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.bound {
		return nil, errors.New("connection refused")
	}
	near, far := net.Pipe()
	_ = far.Close()
	return near, nil
}

func (c *fakeContainer) Resize(context.Context, dyno.Size) error { return nil }

func (c *fakeContainer) Remove(context.Context) error {
	c.finish(dyno.Exit{Code: 137})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.removed = true
	return nil
}

// fakeStore keeps what is wanted in memory.
type fakeStore struct {
	mu    sync.Mutex
	apps  map[string]state.Wanted
	usage map[string]int64 // by app ID
	fail  int              // how many reads fail next
	hold  chan struct{}    // reads wait until it is closed; nil if they do not
	stale chan struct{}    // as hold, once the app was read
}

var _ dyno.Store = (*fakeStore)(nil)

func (s *fakeStore) Wanted(_ context.Context, app string) (state.Wanted, error) {
	s.mu.Lock()
	hold := s.hold
	s.mu.Unlock()
	if hold != nil {
		<-hold
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail > 0 {
		s.fail--
		return state.Wanted{}, errors.New("the disk is gone")
	}
	w, ok := s.apps[app]
	if !ok {
		return w, state.ErrNotFound
	}
	if stale := s.stale; stale != nil {
		s.mu.Unlock()
		<-stale
		s.mu.Lock()
	}
	return w, nil
}

func (s *fakeStore) AllWanted(context.Context) ([]state.Wanted, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []state.Wanted
	for _, w := range s.apps {
		all = append(all, w)
	}
	return all, nil
}

func (s *fakeStore) SetAsleep(_ context.Context, app string, asleep bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.apps[app]
	w.App.Asleep = asleep
	s.apps[app] = w
	return nil
}

func (s *fakeStore) AddUsage(_ context.Context, used []state.Usage) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range used {
		s.usage[u.App+"/"+u.Month] += u.Seconds
	}
	return nil
}

func (s *fakeStore) Usage(_ context.Context, _, month string) (map[string]int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]int64)
	for key, n := range s.usage {
		if app, ok := strings.CutSuffix(key, "/"+month); ok {
			out[app] = n
		}
	}
	return out, nil
}

// fakeLogs keeps lines in memory.
type fakeLogs struct {
	mu    sync.Mutex
	lines []string
}

func (l *fakeLogs) Append(app string, lines ...logs.Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range lines {
		l.lines = append(l.lines, fmt.Sprintf("%s %s[%s]: %s", app, line.Source, line.Dyno, line.Text))
	}
}

func (l *fakeLogs) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

type nopWriter struct{ io.Writer }

func (nopWriter) Close() error { return nil }

func (l *fakeLogs) Writer(string, string, string) io.WriteCloser { return nopWriter{io.Discard} }

// A rig is a manager with fakes around it, inside a synctest bubble.
type rig struct {
	*dyno.Manager
	t       *testing.T
	backend *fakeBackend
	store   *fakeStore
	logs    *fakeLogs
	stop    func()
}

const slug1, slug2 = "sha256:1", "sha256:2"

// start runs a manager for apps with one release each. The test calls stop.
func start(t *testing.T, cfg dyno.Config, apps ...state.Wanted) *rig {
	t.Helper()
	r := &rig{
		t: t, backend: &fakeBackend{}, logs: &fakeLogs{},
		store: &fakeStore{apps: make(map[string]state.Wanted), usage: make(map[string]int64)},
	}
	return r.run(cfg, apps...)
}

func (r *rig) run(cfg dyno.Config, apps ...state.Wanted) *rig {
	r.t.Helper()
	for _, w := range apps {
		r.store.apps[w.App.Name] = w
	}
	cfg.Backend, cfg.Store, cfg.Logs = r.backend, r.store, r.logs
	ctx, cancel := context.WithCancel(r.t.Context())
	r.Manager = dyno.New(ctx, cfg)
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("Run: %v", err)
		}
		if live := r.backend.live(); live != "" {
			r.t.Errorf("after Run there are still %s", live)
		}
		for _, c := range r.backend.all() {
			if !c.removed {
				r.t.Errorf("container of %s was not removed", c.spec.Name)
			}
		}
	})
	synctest.Wait()
	return r
}

// app is an app with a release that has a web and a worker process.
func app(formation ...state.Formation) state.Wanted {
	return state.Wanted{
		App: state.App{ID: "id-shop", Name: "shop", Owner: "ann"},
		Release: state.Release{
			App: "shop", Version: 1, Slug: slug1, Config: map[string]string{"GREETING": "hi"},
			Processes: []state.Process{{Type: "web", Command: "serve"}, {Type: "worker", Command: "work"}, {Type: "release", Command: "migrate"}},
		},
		Formation: formation,
	}
}

func webs(n int) state.Formation { return state.Formation{App: "shop", Type: "web", Quantity: n} }

func workers(n int) state.Formation { return state.Formation{App: "shop", Type: "worker", Quantity: n} }

// release records another release and tells the manager.
func (r *rig) release(version int, slug string) {
	r.store.mu.Lock()
	w := r.store.apps["shop"]
	w.Release.Version, w.Release.Slug = version, slug
	r.store.apps["shop"] = w
	r.store.mu.Unlock()
	r.Released("shop")
	synctest.Wait()
}

func (r *rig) scale(formation ...state.Formation) {
	r.store.mu.Lock()
	w := r.store.apps["shop"]
	w.Formation = formation
	r.store.apps["shop"] = w
	r.store.mu.Unlock()
	r.Released("shop")
	synctest.Wait()
}

func (r *rig) wantLive(want string) {
	r.t.Helper()
	synctest.Wait()
	if got := r.backend.live(); got != want {
		r.t.Errorf("running = %q, want %q", got, want)
	}
}

func (r *rig) wantStates(want string) {
	r.t.Helper()
	synctest.Wait()
	var got []string
	for _, d := range r.List("shop") {
		got = append(got, d.Name+" "+string(d.State))
	}
	if text := strings.Join(got, ", "); text != want {
		r.t.Errorf("List = %q, want %q", text, want)
	}
}

func (r *rig) wantLog(want string) {
	r.t.Helper()
	if !strings.Contains(r.logs.text(), want) {
		r.t.Errorf("the log has no %q:\n%s", want, r.logs.text())
	}
}

// wantRoute asks for a dyno and expects an error or none.
func (r *rig) wantRoute(want error) dyno.Route {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 75*time.Second)
	defer cancel()
	route, err := r.Route(ctx, "shop")
	if !errors.Is(err, want) {
		r.t.Errorf("Route: %v, want %v", err, want)
	}
	return route
}

// later lets time pass.
func later(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
