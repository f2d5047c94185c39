package dyno

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"go.uber.org/zap"

	"slipway/internal/logs"
	"slipway/internal/state"
)

// Port is what every dyno gets as PORT. Each has a network of its own, so all
// may have the same.
const Port = 5000

// Store is what the manager reads and writes of the state.
type Store interface {
	Wanted(ctx context.Context, app string) (state.Wanted, error)
	AllWanted(ctx context.Context) ([]state.Wanted, error)
	SetAsleep(ctx context.Context, app string, asleep bool) error
	AddUsage(ctx context.Context, used []state.Usage) error
	Usage(ctx context.Context, account, month string) (map[string]int64, error)
}

// Logs is where apps' lines go.
type Logs interface {
	Append(app string, lines ...logs.Line)
	// Writer takes what a dyno prints; Close flushes its last line.
	Writer(app, source, dyno string) io.WriteCloser
}

// Config configures a [Manager]. Backend, Store and Logs are required.
type Config struct {
	Backend Backend
	Store   Store
	Logs    Logs

	BootTimeout  time.Duration // from the launch of a web dyno until it binds PORT; 60s if zero
	StopTimeout  time.Duration // from SIGTERM to SIGKILL; 30s if zero
	DrainTimeout time.Duration // for requests under way before SIGTERM; 20s if zero
	Idle         time.Duration // web dynos without a request for so long sleep; 30m if zero, never if negative
	Quota        time.Duration // dyno hours of an account and month; no limit if zero
	MaxOneOffs   int           // of one app at once; 10 if zero
	MaxWaiting   int           // requests of one app that wait for a dyno; 1000 if zero
	MaxStarting  int           // containers that are started at once; 4 a processor if zero

	// Gone is told the key of a [Route] whose container has ended, so that
	// connections to it can be closed: an open one keeps its network alive.
	// Nobody is told if nil.
	Gone func(key string)
	Log  *zap.Logger // nothing is logged if nil
}

func (c Config) withDefaults() Config {
	durations := []struct {
		field *time.Duration
		value time.Duration
	}{
		{&c.BootTimeout, time.Minute},
		{&c.StopTimeout, 30 * time.Second},
		{&c.DrainTimeout, 20 * time.Second},
		{&c.Idle, 30 * time.Minute},
	}
	for _, d := range durations {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if c.MaxOneOffs == 0 {
		c.MaxOneOffs = 10
	}
	if c.MaxWaiting == 0 {
		c.MaxWaiting = 1000
	}
	if c.MaxStarting == 0 {
		c.MaxStarting = 4 * runtime.NumCPU()
	}
	if c.Gone == nil {
		c.Gone = func(string) {}
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	return c
}

// A Manager keeps the formation of every app running. All methods may be called
// concurrently.
type Manager struct {
	cfg      Config
	log      *zap.Logger
	starting chan struct{} // a place for each container that is being started
	work     sync.WaitGroup
	usage    *usage

	ctx    context.Context //nolint:containedctx // the manager's own life, which its dynos share
	cancel context.CancelFunc

	mu     sync.Mutex
	apps   map[string]*app
	closed bool
}

// New returns a Manager. Dynos are started by [Manager.Run], or before it when
// somebody asks for them. They end with Run, not with ctx.
func New(ctx context.Context, cfg Config) *Manager {
	cfg = cfg.withDefaults()
	m := &Manager{
		cfg: cfg, log: cfg.Log.Named("dyno"),
		starting: make(chan struct{}, cfg.MaxStarting),
		apps:     make(map[string]*app),
	}
	m.usage = newUsage(cfg)
	m.ctx, m.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return m
}

// Run starts what is wanted and keeps it so until ctx is done. It returns after
// every dyno has ended. It may be called once.
func (m *Manager) Run(ctx context.Context) error {
	defer m.stop(ctx)
	all, err := m.cfg.Store.AllWanted(ctx)
	if err != nil {
		return fmt.Errorf("read what should run: %w", err)
	}
	if err := m.usage.load(ctx, all); err != nil {
		return err
	}
	for _, w := range all {
		if w.Release.Slug == "" || w.App.Asleep {
			continue // read when somebody asks for it
		}
		if a := m.app(w.App.Name); a != nil {
			a.learnFirst(w, 0)
		}
	}
	if err := m.keepSlugs(ctx); err != nil {
		m.log.Warn("slugs not swept", zap.Error(err))
	}
	m.tick(ctx)
	return nil
}

const (
	// sweepEvery is how often is looked for apps that have gone idle.
	sweepEvery = time.Second
	// countEvery is how often used dyno hours are written down.
	countEvery = 10 * time.Second
	// keepEvery is how often slugs that nothing runs are let go of.
	keepEvery = time.Hour
)

func (m *Manager) tick(ctx context.Context) {
	sweep, count, keep := time.NewTicker(sweepEvery), time.NewTicker(countEvery), time.NewTicker(keepEvery)
	defer sweep.Stop()
	defer count.Stop()
	defer keep.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-sweep.C:
			m.sweepIdle()
		case <-count.C:
			if m.usage.count(ctx) {
				m.enforce()
			}
		case <-keep.C:
			if err := m.keepSlugs(ctx); err != nil && ctx.Err() == nil {
				m.log.Warn("slugs not swept", zap.Error(err))
			}
		}
	}
}

// stop ends all dynos, and waits for them.
func (m *Manager) stop(ctx context.Context) {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.cancel()
	m.work.Wait()
	m.usage.count(context.WithoutCancel(ctx))
}

// keepSlugs lets the backend forget slugs that are no app's current one.
func (m *Manager) keepSlugs(ctx context.Context) error {
	all, err := m.cfg.Store.AllWanted(ctx)
	if err != nil {
		return err
	}
	current := make(map[Slug]bool, len(all))
	for _, w := range all {
		current[Slug{App: w.App.Name, Digest: w.Release.Slug}] = true
	}
	return m.cfg.Backend.Keep(ctx, func(s Slug) bool { return current[s] })
}

// Changed tells that an app's settings were changed.
func (m *Manager) Changed(name string) {
	if a := m.app(name); a != nil {
		a.reload()
	}
}

// Released tells that an app has a new release or formation. An app that
// sleeps wakes.
func (m *Manager) Released(name string) {
	a := m.app(name)
	if a == nil {
		return
	}
	a.mu.Lock()
	a.wakeLater = true
	a.mu.Unlock()
	a.reload()
}

// Removed ends an app's dynos, and returns when they are gone.
func (m *Manager) Removed(ctx context.Context, name string) error {
	m.mu.Lock()
	a := m.apps[name]
	delete(m.apps, name)
	m.mu.Unlock()
	if a == nil {
		return nil
	}
	return a.remove(ctx)
}

// app finds an app's record, or makes one that knows nothing yet. It is nil
// once the manager stops.
func (m *Manager) app(name string) *app {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil
	}
	a := m.apps[name]
	if a == nil {
		a = newApp(m, name)
		m.apps[name] = a
	}
	return a
}

// loaded finds an app and makes sure that it was read from the store.
func (m *Manager) loaded(ctx context.Context, name string) (*app, error) {
	a := m.app(name)
	if a == nil {
		return nil, ErrClosed
	}
	a.mu.Lock()
	known, told := a.known, a.told
	a.mu.Unlock()
	if known {
		return a, nil
	}
	w, err := m.cfg.Store.Wanted(ctx, name)
	if err != nil {
		if errors.Is(err, state.ErrNotFound) {
			m.forget(a)
		}
		return nil, fmt.Errorf("read app %s: %w", name, err)
	}
	a.learnFirst(w, told)
	return a, nil
}

// forget drops a record that stands for no app.
func (m *Manager) forget(a *app) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.apps[a.name] == a {
		delete(m.apps, a.name)
	}
}

// running lists the records of all apps that were asked for.
func (m *Manager) running() []*app {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]*app, 0, len(m.apps))
	for _, a := range m.apps {
		out = append(out, a)
	}
	return out
}

// say writes a line of the server's own into an app's log.
func (m *Manager) say(app, dyno, text string) {
	m.cfg.Logs.Append(app, logs.Line{At: time.Now(), Source: "slipway", Dyno: dyno, Text: text})
}
