package netns

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// quiet is how long nobody must have asked for a namespace before the
	// next one is made: what was just started needs the machine more.
	quiet = 300 * time.Millisecond
	// retryAfter follows a namespace that could not be made.
	retryAfter = 5 * time.Second
)

// A Pool keeps namespaces ready, so that what runs in them does not wait.
type Pool struct {
	cfg  Config
	wake chan struct{}
	work sync.WaitGroup

	ctx    context.Context //nolint:containedctx // the pool's own life
	cancel context.CancelFunc

	mu     sync.Mutex
	idle   []*Namespace
	closed bool
}

// OpenPool removes what a killed predecessor of the same instance left, and
// begins to make the first namespaces. cfg.Ports are not used.
func OpenPool(ctx context.Context, cfg Config) (*Pool, error) {
	cfg, err := cfg.check()
	if err != nil {
		return nil, err
	}
	if err := Recover(ctx, cfg); err != nil {
		return nil, err
	}
	if err := prepareHost(cfg); err != nil {
		return nil, err
	}
	p := &Pool{cfg: cfg, wake: make(chan struct{}, 1)}
	p.ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	p.work.Go(p.fill)
	return p, nil
}

// Get returns a namespace in which ports are open. The caller closes it.
func (p *Pool) Get(ctx context.Context, ports []Port) (*Namespace, error) {
	n, err := p.take()
	if err != nil {
		return nil, err
	}
	// An administrator may have reloaded the firewall meanwhile.
	if err := prepareHost(p.cfg); err != nil {
		if n != nil {
			err = errors.Join(err, n.Close())
		}
		return nil, err
	}
	if n == nil {
		if n, err = makeNamespace(ctx, p.cfg); err != nil {
			return nil, err
		}
	}
	n.later = p.remove
	if err := n.ready(ctx, ports); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// take returns an idle namespace, nil if there is none.
func (p *Pool) take() (*Namespace, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errors.New("networks are closed")
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
	if len(p.idle) == 0 {
		return nil, nil
	}
	n := p.idle[0]
	p.idle = p.idle[1:]
	return n, nil
}

// remove removes a namespace in the background.
func (p *Pool) remove(do func() error) {
	p.work.Go(func() {
		if err := do(); err != nil {
			p.cfg.Log.Warn("network not removed", zap.Error(err))
		}
	})
}

// fill makes namespaces until enough are ready, and again when some were taken
// and things have calmed down.
func (p *Pool) fill() {
	for {
		wait, err := p.fillUp()
		if err != nil {
			p.cfg.Log.Warn("network not prepared", zap.Error(err))
		}
		if !p.pause(wait) {
			return
		}
	}
}

// fillUp returns how long to wait before it is called again; until somebody
// takes a namespace if zero.
func (p *Pool) fillUp() (time.Duration, error) {
	for p.lacks() && p.ctx.Err() == nil {
		n, err := makeNamespace(p.ctx, p.cfg)
		if err != nil {
			return retryAfter, err
		}
		p.mu.Lock()
		p.idle = append(p.idle, n)
		p.mu.Unlock()
		select {
		case <-p.wake:
			return quiet, nil
		default:
		}
	}
	return 0, nil
}

func (p *Pool) lacks() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle) < p.cfg.Ready
}

// pause waits, and then until nobody has taken a namespace for a while. It
// returns false when the pool is closed.
func (p *Pool) pause(wait time.Duration) bool {
	if wait == 0 {
		select {
		case <-p.wake:
			wait = quiet
		case <-p.ctx.Done():
			return false
		}
	}
	calm := time.NewTimer(wait)
	defer calm.Stop()
	for {
		select {
		case <-p.wake:
			calm.Reset(max(wait, quiet))
		case <-calm.C:
			return true
		case <-p.ctx.Done():
			return false
		}
	}
}

// Close removes the ready namespaces and the firewall. Namespaces that were
// got must have been closed.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.cancel()
	p.work.Wait()
	var errs []error
	for _, n := range p.idle {
		errs = append(errs, n.Close())
	}
	p.idle = nil
	errs = append(errs, (&firewall{instance: p.cfg.Instance}).remove())
	return errors.Join(errs...)
}
