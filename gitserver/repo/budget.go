package repo

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A Budget is memory that the pushes and fetches of many repositories share.
// They take from it before they hold much, and wait while there is not enough.
//
// None can wait forever for what others hold: one claim at a time, the elder,
// never waits. It may overdraw the budget, so that the most that is held is the
// budget and what one push takes.
type Budget struct {
	patience time.Duration

	mu    sync.Mutex
	free  int64
	elder *Claim
	freed chan struct{} // closed, and made anew, when something may have changed
}

// NewBudget returns a budget of so many bytes, for which nobody waits longer
// than patience.
func NewBudget(bytes int64, patience time.Duration) *Budget {
	return &Budget{patience: patience, free: bytes, freed: make(chan struct{})}
}

// A Claim is what one push or fetch holds of a budget. It may be used by several
// goroutines at once. Nil, as a nil Budget gives it, holds whatever it is asked to.
type Claim struct {
	b      *Budget
	onWait func()
	once   sync.Once
	held   int64 // guarded by b.mu
}

// Claim returns an empty claim. onWait, if set, is called the first time that
// it has to wait. The caller releases it.
func (b *Budget) Claim(onWait func()) *Claim {
	if b == nil {
		return nil
	}
	return &Claim{b: b, onWait: onWait}
}

// Hold adds n bytes to the claim, and waits until they are there. The error is
// ErrMemory if that takes too long.
func (c *Claim) Hold(ctx context.Context, n int64) error {
	if c == nil || n <= 0 {
		return nil
	}
	freed := c.take(n, true)
	if freed == nil {
		return nil
	}
	if c.onWait != nil {
		c.once.Do(c.onWait)
	}
	timer := time.NewTimer(c.b.patience)
	defer timer.Stop()
	for freed != nil {
		select {
		case <-freed:
		case <-timer.C:
			return fmt.Errorf("%w: %d MiB more are needed", ErrMemory, n>>20)
		case <-ctx.Done():
			return ctx.Err()
		}
		freed = c.take(n, true)
	}
	return nil
}

// try adds n bytes to the claim if nobody has to wait for it.
func (c *Claim) try(n int64) bool { return c == nil || c.take(n, false) == nil }

// take adds n bytes, or returns what to wait for.
func (c *Claim) take(n int64, overdraw bool) <-chan struct{} {
	b := c.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.free < n {
		if !overdraw || b.elder != nil && b.elder != c {
			return b.freed
		}
		b.elder = c
	}
	b.free -= n
	c.held += n
	return nil
}

// Release gives everything back. The claim can be used again.
func (c *Claim) Release() {
	if c == nil {
		return
	}
	b := c.b
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += c.held
	c.held = 0
	if b.elder == c {
		b.elder = nil
	}
	close(b.freed)
	b.freed = make(chan struct{})
}

// Held is how much the claim holds.
func (c *Claim) Held() int64 {
	if c == nil {
		return 0
	}
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	return c.held
}
