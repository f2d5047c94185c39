package dyno

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"slipway/internal/state"
)

// web is the process type that gets requests, releasePhase the one that runs
// before a release stands and is no dyno of the formation.
const (
	web          = "web"
	releasePhase = "release"
)

// retryStore is how long is waited after the store has failed.
const retryStore = time.Second

// An app is what the manager knows of one app. Whoever changes what is wanted
// calls reconcile, which starts and stops slots and never blocks.
type app struct {
	m    *Manager
	name string

	mu        sync.Mutex
	known     bool // wanted was read
	wanted    state.Wanted
	removed   bool
	asleep    bool
	since     time.Time // of asleep
	saveSleep bool      // asleep is not in the store yet
	wakeLater bool      // a new release wakes the app once it was read
	dirty     bool      // wanted must be read again
	busy      bool      // somebody is reading
	told      int       // how often Maintain was called
	slots     map[string]*slot
	oneOffs   map[string]*oneOff
	all       map[*slot]struct{} // those of slots, and those that are on their way out
	waiting   int                // requests that wait for a dyno
	requests  int                // requests under way

	lastRequest time.Time // when one began or ended, or the app woke

	changed chan struct{} // closed and made anew when a slot's state changes
}

func newApp(m *Manager, name string) *app {
	return &app{
		m: m, name: name, changed: make(chan struct{}),
		slots: make(map[string]*slot), oneOffs: make(map[string]*oneOff), all: make(map[*slot]struct{}),
	}
}

// reload reads what is wanted in the background, once for many calls.
func (a *app) reload() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reloadLocked()
}

func (a *app) reloadLocked() {
	a.dirty = true
	if a.busy || a.removed {
		return
	}
	a.busy = a.m.goWork(a.read)
}

// goWork runs do in the background, unless the manager stops.
func (m *Manager) goWork(do func()) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.work.Go(do)
	return true
}

func (a *app) read() {
	for {
		a.mu.Lock()
		if !a.dirty || a.removed || a.m.ctx.Err() != nil {
			a.busy = false
			a.mu.Unlock()
			return
		}
		a.dirty = false
		save, asleep := a.saveSleep, a.asleep
		a.saveSleep = false
		a.mu.Unlock()
		if err := a.readOnce(save, asleep); err != nil {
			a.retry(err)
		}
	}
}

func (a *app) readOnce(save, asleep bool) error {
	if save {
		err := a.m.cfg.Store.SetAsleep(a.m.ctx, a.name, asleep)
		if err != nil && !errors.Is(err, state.ErrNotFound) {
			a.mu.Lock()
			a.saveSleep = true
			a.mu.Unlock()
			return err
		}
	}
	a.mu.Lock()
	told := a.told
	a.mu.Unlock()
	w, err := a.m.cfg.Store.Wanted(a.m.ctx, a.name)
	if errors.Is(err, state.ErrNotFound) {
		a.m.forget(a)
		return a.remove(a.m.ctx)
	}
	if err == nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.learn(w, told)
	}
	return err
}

func (a *app) retry(err error) {
	if a.m.ctx.Err() != nil {
		return
	}
	a.m.log.Error("what should run is not known: trying again", zap.String("app", a.name), zap.Error(err))
	wait := time.NewTimer(retryStore)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-a.m.ctx.Done():
	}
	a.mu.Lock()
	a.dirty = true
	a.mu.Unlock()
}

// learnFirst takes over what was read, unless somebody else was first.
func (a *app) learnFirst(w state.Wanted, told int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.known {
		a.learn(w, told)
	}
}

// learn takes over what was read when a.told was told. The caller holds a.mu.
func (a *app) learn(w state.Wanted, told int) {
	if told != a.told { // what was read may be older, and is read again
		w.App.Maintenance = a.wanted.App.Maintenance
	}
	if !a.known {
		a.asleep, a.since = w.App.Asleep, time.Now()
		a.lastRequest = time.Now()
	}
	a.known, a.wanted = true, w
	if a.wakeLater {
		a.wakeLater = false
		a.setAsleep(false)
	}
	a.reconcile()
}

// setAsleep must be followed by reconcile. The store hears of it later: a
// request that wakes an app does not wait for a disk.
func (a *app) setAsleep(asleep bool) {
	if a.asleep == asleep {
		return
	}
	a.asleep, a.since, a.saveSleep = asleep, time.Now(), true
	a.lastRequest = time.Now()
	a.reloadLocked()
}

// process finds the command of a process type in the current release.
func (a *app) process(kind string) (state.Process, bool) {
	i := slices.IndexFunc(a.wanted.Release.Processes, func(p state.Process) bool { return p.Type == kind })
	if i < 0 {
		return state.Process{}, false
	}
	return a.wanted.Release.Processes[i], true
}

// quantity is how many dynos of a process type are wanted.
func (a *app) quantity(kind string) int {
	if _, ok := a.process(kind); !ok || kind == releasePhase {
		return 0
	}
	for _, f := range a.wanted.Formation {
		if f.Type == kind {
			return f.Quantity
		}
	}
	return 0
}

// formation lists the dynos that are wanted while the app is awake, by name.
func (a *app) formation() map[string]state.Process {
	out := make(map[string]state.Process)
	if a.wanted.Release.Slug == "" {
		return out
	}
	for _, p := range a.wanted.Release.Processes {
		for n := range a.quantity(p.Type) {
			out[fmt.Sprintf("%s.%d", p.Type, n+1)] = p
		}
	}
	return out
}

// sleeps tells whether the app sleeps: one that has no web dynos never does.
func (a *app) sleeps() bool { return a.asleep && a.quantity(web) > 0 }

// reconcile starts what is wanted and does not run, and stops what runs and is
// not wanted. The caller holds a.mu.
func (a *app) reconcile() {
	want := a.formation()
	if a.removed || a.sleeps() || a.m.usage.spent(a.wanted.App.Owner) {
		clear(want)
	}
	for name, s := range a.slots {
		if _, ok := want[name]; !ok {
			delete(a.slots, name)
			s.retire()
		}
	}
	for name, p := range want {
		s := a.slots[name]
		if s == nil || s.release.Version != a.wanted.Release.Version {
			a.replace(name, p)
		}
	}
	a.notify()
}

// replace puts a new slot in the place of another. Web dynos that answer go on
// until the new one does.
func (a *app) replace(name string, p state.Process) {
	old := a.slots[name]
	s := a.newSlot(name, p)
	if old != nil {
		s.before = old.before
		old.before = nil
		if old.kind == web && old.state == Up {
			s.before = append(s.before, old)
		} else {
			old.cancel()
		}
	}
	a.slots[name] = s
	if !a.m.goWork(s.run) {
		s.cancel()
		s.finish()
	}
}

// notify wakes whoever waits for a change. The caller holds a.mu.
func (a *app) notify() {
	close(a.changed)
	a.changed = make(chan struct{})
}

// remove ends everything of the app and waits for it.
func (a *app) remove(ctx context.Context) error {
	a.mu.Lock()
	a.removed = true
	a.reconcile()
	ends := make([]<-chan struct{}, 0, len(a.all)+len(a.oneOffs))
	for s := range a.all {
		ends = append(ends, s.done)
	}
	for _, o := range a.oneOffs {
		o.cancel()
		ends = append(ends, o.done)
	}
	a.mu.Unlock()
	for _, end := range ends {
		select {
		case <-end:
		case <-ctx.Done():
			return fmt.Errorf("stop dynos of %s: %w", a.name, ctx.Err())
		}
	}
	return nil
}

// environment is what a dyno of a release finds.
func environment(rel state.Release, dyno string, more map[string]string) map[string]string {
	env := maps.Clone(rel.Config)
	if env == nil {
		env = make(map[string]string)
	}
	maps.Copy(env, more)
	env["DYNO"] = dyno
	env["PORT"] = fmt.Sprint(Port)
	return env
}

// containerID names a container: the app's name would be too long with all of
// it, and need not be in it.
func containerID(dyno, id string) string {
	return strings.ReplaceAll(dyno, ".", "-") + "-" + id
}
