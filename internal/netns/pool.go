package netns

import (
	"context"
	"errors"
	"sync"

	"go.uber.org/zap"
)

// A Pool keeps one namespace ready, so that a build does not wait for it.
type Pool struct {
	cfg  Config
	work sync.WaitGroup

	ctx    context.Context //nolint:containedctx // the pool's own life
	cancel context.CancelFunc

	mu      sync.Mutex
	ready   *Namespace
	filling bool
	closed  bool
}

// OpenPool removes what a killed predecessor of the same instance left, and
// begins to make the first namespace. cfg.Ports are not used.
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
	p := &Pool{cfg: cfg}
	p.ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	p.fill()
	return p, nil
}

// Get returns a namespace in which ports are open. The caller closes it.
func (p *Pool) Get(ctx context.Context, ports []Port) (*Namespace, error) {
	p.mu.Lock()
	n := p.ready
	p.ready = nil
	closed := p.closed
	p.mu.Unlock()
	if closed {
		return nil, errors.New("build networks are closed")
	}
	// An administrator may have reloaded the firewall meanwhile.
	if err := prepareHost(p.cfg); err != nil {
		if n != nil {
			err = errors.Join(err, n.Close())
		}
		return nil, err
	}
	if n == nil {
		var err error
		if n, err = makeNamespace(ctx, p.cfg); err != nil {
			return nil, err
		}
	}
	// The next one is made when this one's build is over and the machine
	// has time.
	n.later = p.remove
	if err := n.ready(ctx, ports); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// remove removes a namespace in the background, and makes the next.
func (p *Pool) remove(do func() error) {
	p.work.Go(func() {
		if err := do(); err != nil {
			p.cfg.Log.Warn("build network not removed", zap.Error(err))
		}
		p.fill()
	})
}

// fill makes the next namespace in the background, unless there is one.
func (p *Pool) fill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.filling || p.ready != nil {
		return
	}
	p.filling = true
	p.work.Go(func() {
		n, err := makeNamespace(p.ctx, p.cfg)
		if err != nil {
			p.cfg.Log.Warn("build network not prepared", zap.Error(err))
		}
		p.mu.Lock()
		p.filling = false
		if err == nil && !p.closed {
			p.ready = n
			n = nil
		}
		p.mu.Unlock()
		if err == nil && n != nil {
			_ = n.Close() // the pool was closed meanwhile
		}
	})
}

// Close removes the ready namespace and the firewall. Namespaces that were
// got must have been closed.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	n := p.ready
	p.ready = nil
	p.mu.Unlock()
	p.cancel()
	p.work.Wait()
	var errs []error
	if n != nil {
		errs = append(errs, n.Close())
	}
	errs = append(errs, (&firewall{instance: p.cfg.Instance}).remove())
	return errors.Join(errs...)
}
