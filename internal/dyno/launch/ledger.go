package launch

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"slipway/internal/dyno"
)

// closeParallel bounds how many containers are removed at once.
const closeParallel = 8

// A Ledger knows the containers of a backend and their slugs, so that none is
// dropped that a container uses. The zero value is ready.
type Ledger struct {
	Fetches Fetches

	mu         sync.Mutex
	closed     bool
	uses       map[dyno.Slug]int // by containers
	containers map[dyno.Container]dyno.Slug
}

// Enter keeps a slug from being dropped, from before it is there. A container
// that was entered must be removed, and Leave.
func (l *Ledger) Enter(c dyno.Container, slug dyno.Slug) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return dyno.ErrClosed
	}
	if l.containers == nil {
		l.uses, l.containers = make(map[dyno.Slug]int), make(map[dyno.Container]dyno.Slug)
	}
	l.containers[c] = slug
	l.uses[slug]++
	return nil
}

// Leave lets go of a container that is gone.
func (l *Ledger) Leave(c dyno.Container) {
	l.mu.Lock()
	defer l.mu.Unlock()
	slug := l.containers[c]
	delete(l.containers, c)
	if l.uses[slug]--; l.uses[slug] <= 0 {
		delete(l.uses, slug)
	}
}

// Drop calls drop, unless a container uses the slug or somebody fetches it.
// Nobody begins to use it meanwhile.
func (l *Ledger) Drop(slug dyno.Slug, drop func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.uses[slug] > 0 || l.Fetches.Running(slug) {
		return nil
	}
	return drop()
}

// Close lets no container enter any more, gives up fetches, and removes every
// container.
func (l *Ledger) Close(ctx context.Context) error {
	l.mu.Lock()
	l.closed = true
	left := make([]dyno.Container, 0, len(l.containers))
	for c := range l.containers {
		left = append(left, c)
	}
	l.mu.Unlock()
	l.Fetches.Close()
	errs := make([]error, len(left))
	var removing errgroup.Group
	removing.SetLimit(closeParallel)
	for n, c := range left {
		removing.Go(func() error {
			errs[n] = c.Remove(ctx)
			return nil
		})
	}
	_ = removing.Wait() // errs has them all
	return errors.Join(errs...)
}
