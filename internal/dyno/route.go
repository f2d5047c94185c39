package dyno

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"time"

	"slipway/internal/state"
)

// Why an app has no dyno for a request.
var (
	// ErrCrashed says that every web dyno has crashed and rests.
	ErrCrashed = errors.New("the app has crashed")
	// ErrNoWeb says that no web dynos are wanted.
	ErrNoWeb = errors.New("no web dynos are wanted")
	// ErrBacklog says that too many requests wait already.
	ErrBacklog = errors.New("too many requests wait for the app")
)

// suspectFor is how long a dyno that refused a connection is passed over.
const suspectFor = 500 * time.Millisecond

// upstream is how requests reach one container. The app's mutex guards suspect
// and requests.
type upstream struct {
	key      string
	dial     func(ctx context.Context, port uint16) (net.Conn, error)
	requests int
	suspect  time.Time
	idle     chan struct{} // closed when the last request has ended, if somebody waits for it
}

// A Route is a web dyno that was chosen for one request.
type Route struct {
	Dyno string // "web.1"
	Key  string // of the container
	Dial func(ctx context.Context) (net.Conn, error)
	Done func() // to be called when the request has ended
}

// Route chooses a web dyno for a request, and wakes the app if it sleeps. It
// waits while dynos start, as long as ctx lasts. Its errors are [ErrCrashed],
// [ErrNoWeb], [ErrNoSlug], [ErrQuota], [ErrBacklog], [ErrClosed], a
// [*MaintenanceError] and ctx's.
func (m *Manager) Route(ctx context.Context, name string) (Route, error) {
	a, err := m.loaded(ctx, name)
	if err != nil {
		return Route{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	counted := false
	defer func() {
		if counted {
			a.waiting--
		}
	}()
	for {
		if a.wanted.App.Maintenance && !a.removed {
			return Route{}, &MaintenanceError{Page: a.wanted.Release.Config[maintenancePage]}
		}
		if s := a.choose(); s != nil {
			return a.route(s), nil
		}
		if err := a.hopeless(); err != nil {
			return Route{}, err
		}
		if !counted {
			if a.waiting >= m.cfg.MaxWaiting {
				return Route{}, ErrBacklog
			}
			counted = true
			a.waiting++
		}
		changed := a.changed
		a.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		case <-m.ctx.Done():
		}
		a.mu.Lock()
		if ctx.Err() != nil {
			return Route{}, ctx.Err()
		}
		if m.ctx.Err() != nil {
			return Route{}, ErrClosed
		}
	}
}

// hopeless says why waiting would not help; nil if a dyno is to be expected. It
// wakes an app that sleeps.
func (a *app) hopeless() error {
	switch {
	case a.removed:
		return state.ErrNotFound
	case a.wanted.Release.Slug == "":
		return ErrNoSlug
	case a.quantity(web) == 0:
		return ErrNoWeb
	case a.m.usage.spent(a.wanted.App.Owner):
		return ErrQuota
	case a.asleep:
		a.wake()
		return nil
	}
	for _, s := range a.slots {
		if s.kind == web && (s.state == Starting || s.state == Up || s.state == Crashed && time.Until(s.retry) <= 0) {
			return nil
		}
	}
	for _, s := range a.slots {
		if s.kind == web && s.state == Crashed {
			return ErrCrashed
		}
	}
	return ErrNoWeb // they were stopped by hand
}

// wake starts an app that sleeps. The caller holds a.mu.
func (a *app) wake() {
	a.m.say(a.name, "web.1", "Unidling")
	a.m.say(a.name, "web.1", "State changed from down to starting")
	a.setAsleep(false)
	a.reconcile()
}

// choose picks the web dyno with the fewest requests of the newest release that
// answers; nil if there is none.
func (a *app) choose() *slot {
	now := time.Now()
	var best *slot
	ties := 0
	for s := range a.all {
		if s.upstream == nil || s.state != Up || s.ctx.Err() != nil {
			continue
		}
		order := 1
		if best != nil {
			order = compare(s, best, now)
		}
		switch {
		case order > 0:
			best, ties = s, 1
		case order == 0:
			if ties++; rand.IntN(ties) == 0 {
				best = s
			}
		}
	}
	return best
}

// compare is more than 0 if a request is better off at s than at t.
func compare(s, t *slot, now time.Time) int {
	if bad, other := now.Before(s.upstream.suspect), now.Before(t.upstream.suspect); bad != other {
		if other {
			return 1
		}
		return -1
	}
	if s.release.Version != t.release.Version {
		return s.release.Version - t.release.Version
	}
	return t.upstream.requests - s.upstream.requests
}

// route counts a request in. The caller holds a.mu.
func (a *app) route(s *slot) Route {
	up := s.upstream
	up.requests++
	a.requests++
	a.lastRequest = time.Now()
	ended := false
	return Route{
		Dyno: s.name, Key: up.key,
		Dial: func(ctx context.Context) (net.Conn, error) { return up.dial(ctx, Port) },
		Done: func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			if ended {
				return
			}
			ended = true
			a.requests--
			a.lastRequest = time.Now()
			up.requests--
			if up.requests == 0 && up.idle != nil {
				close(up.idle)
				up.idle = nil
			}
		},
	}
}

// Failed tells that a dyno did not take a connection, so that others get the
// next requests.
func (m *Manager) Failed(name, key string) {
	a := m.app(name)
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for s := range a.all {
		if s.upstream != nil && s.upstream.key == key {
			s.upstream.suspect = time.Now().Add(suspectFor)
		}
	}
}

// drain waits until the requests of a slot that gets no more have ended, for a
// while.
func (s *slot) drain() {
	s.a.mu.Lock()
	up := s.upstream
	if up == nil || up.requests == 0 {
		s.a.mu.Unlock()
		return
	}
	idle := make(chan struct{})
	up.idle = idle
	s.a.mu.Unlock()
	late := time.NewTimer(s.a.m.cfg.DrainTimeout)
	defer late.Stop()
	select {
	case <-idle:
	case <-late.C:
	}
}
