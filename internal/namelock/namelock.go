// Package namelock keeps those apart who do something to the same name.
package namelock

import (
	"context"
	"sync"
)

// Locks are locks by name. The zero value is ready.
type Locks struct {
	mu   sync.Mutex
	held map[string]*lock
}

type lock struct {
	turn  chan struct{}
	users int
}

// Lock waits until nobody else holds the name, in no order, or until ctx is done.
func (l *Locks) Lock(ctx context.Context, name string) (unlock func(), err error) {
	l.mu.Lock()
	if l.held == nil {
		l.held = make(map[string]*lock)
	}
	a := l.held[name]
	if a == nil {
		a = &lock{turn: make(chan struct{}, 1)}
		l.held[name] = a
	}
	a.users++
	l.mu.Unlock()
	leave := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if a.users--; a.users == 0 {
			delete(l.held, name)
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
