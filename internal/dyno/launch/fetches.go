package launch

import (
	"context"
	"sync"
	"time"

	"slipway/internal/dyno"
)

// fetchTimeout bounds how long a slug may take to come and be unpacked.
const fetchTimeout = 10 * time.Minute

// Fetches run one fetch a slug for all who wait for it. The zero value is ready.
type Fetches struct {
	work sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	running map[dyno.Slug]*fetch
}

type fetch struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when err is set
	err    error
}

// Do fetches a slug, or waits for who does. The fetch goes on when a caller
// gives up, since others may wait for it.
func (f *Fetches) Do(ctx context.Context, slug dyno.Slug, get func(ctx context.Context) error) error {
	one, err := f.join(ctx, slug, get)
	if err != nil {
		return err
	}
	select {
	case <-one.done:
		return one.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *Fetches) join(ctx context.Context, slug dyno.Slug, get func(ctx context.Context) error) (*fetch, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, dyno.ErrClosed
	}
	if one, ok := f.running[slug]; ok {
		return one, nil
	}
	fetching, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
	one := &fetch{cancel: cancel, done: make(chan struct{})}
	if f.running == nil {
		f.running = make(map[dyno.Slug]*fetch)
	}
	f.running[slug] = one
	f.work.Go(func() {
		defer cancel()
		one.err = get(fetching)
		f.mu.Lock()
		delete(f.running, slug)
		f.mu.Unlock()
		close(one.done)
	})
	return one, nil
}

// Running says whether a slug is being fetched.
func (f *Fetches) Running(slug dyno.Slug) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.running[slug] != nil
}

// Close gives up what runs and waits for it. There are no fetches after it.
func (f *Fetches) Close() {
	f.mu.Lock()
	f.closed = true
	for _, one := range f.running {
		one.cancel()
	}
	f.mu.Unlock()
	f.work.Wait()
}
