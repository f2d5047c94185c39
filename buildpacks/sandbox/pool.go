package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
)

// Config says what the programs of a pool run in.
type Config struct {
	// Root is the root file system of an image; this machine's programs if "".
	Root string
	// UID and GID are who programs are, as they see it; 1000 if zero.
	UID, GID int
	// Plain runs programs as they are: without walls, at their places on this
	// machine.
	Plain bool
}

// A Pool runs programs. Use Open.
type Pool struct {
	cfg Config
	dir string // an empty directory, where workers make root file systems

	mu      sync.Mutex
	idle    []*worker
	closed  bool
	support *Support // nil until the first worker was started
	users   bool     // workers have a user namespace of their own
}

// Open makes a pool. It starts nothing yet. Close it.
func Open(cfg Config) (*Pool, error) {
	if cfg.UID == 0 {
		cfg.UID = 1000
	}
	if cfg.GID == 0 {
		cfg.GID = 1000
	}
	dir, err := os.MkdirTemp("", "slipway-sandbox-")
	if err != nil {
		return nil, fmt.Errorf("make sandbox directory: %w", err)
	}
	return &Pool{cfg: cfg, dir: dir}, nil
}

// Close ends all workers. No program may be running.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var errs []error
	for _, w := range p.idle {
		errs = append(errs, w.close())
	}
	p.idle = nil
	return errors.Join(append(errs, os.Remove(p.dir))...)
}

// Support tries what this machine allows, once.
func (p *Pool) Support(ctx context.Context) (Support, error) {
	w, err := p.take(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return Support{}, ctx.Err()
		}
		return Support{Missing: []string{"a sandbox: " + err.Error()}}, nil
	}
	p.put(w)
	p.mu.Lock()
	defer p.mu.Unlock()
	return *p.support, nil
}

// Run runs one program and waits until it and all that it started have ended.
// The error is about the sandbox or ctx; what the program did wrong is in the
// outcome.
func (p *Pool) Run(ctx context.Context, c Command) (*Outcome, error) {
	if len(c.Args) == 0 {
		return nil, errors.New("run in sandbox: no program was named")
	}
	w, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	out, err := w.run(ctx, c)
	if err != nil {
		_ = w.close() // it is of no use any more
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("run in sandbox: %w", err)
	}
	p.put(w)
	return out, nil
}

// take gives an idle worker, or a new one.
func (p *Pool) take(ctx context.Context) (*worker, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, errors.New("run in sandbox: it was closed")
	}
	if n := len(p.idle); n > 0 {
		w := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return w, nil
	}
	users, first := p.users, p.support == nil
	p.mu.Unlock()
	if !first || p.cfg.Plain || os.Geteuid() != 0 {
		return p.start(ctx, users || os.Geteuid() != 0)
	}
	// Root in a container may be allowed less than a user of its own.
	w, err := p.start(ctx, false)
	if err != nil && ctx.Err() == nil {
		if second, again := p.start(ctx, true); again == nil {
			return second, nil
		}
	}
	return w, err
}

func (p *Pool) start(ctx context.Context, users bool) (*worker, error) {
	w, support, err := startWorker(ctx, p.cfg, p.dir, users)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.support, p.users = support, users
	return w, nil
}

func (p *Pool) put(w *worker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = w.close() // as Close would
		return
	}
	p.idle = append(p.idle, w)
}
