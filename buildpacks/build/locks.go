package build

import (
	"context"
	"sync"
)

// appLocks keeps builds of one app apart: they share its cache, and lifecycles
// that write to one cache at once lose layers.
type appLocks struct {
	mu   sync.Mutex
	held map[string]*appLock
}

type appLock struct {
	turn  chan struct{}
	users int
}

// lock waits until no other build of app runs.
func (l *appLocks) lock(ctx context.Context, app string) (unlock func(), err error) {
	l.mu.Lock()
	if l.held == nil {
		l.held = make(map[string]*appLock)
	}
	a := l.held[app]
	if a == nil {
		a = &appLock{turn: make(chan struct{}, 1)}
		l.held[app] = a
	}
	a.users++
	l.mu.Unlock()
	leave := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if a.users--; a.users == 0 {
			delete(l.held, app)
		}
	}
	select {
	case a.turn <- struct{}{}:
		return func() { <-a.turn; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
