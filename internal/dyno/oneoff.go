package dyno

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"slipway/internal/state"
)

// attachTimeout is how long a one-off dyno waits for somebody to attach.
const attachTimeout = time.Minute

// run is the process type of one-off dynos.
const run = "run"

// A oneOff runs one command once.
type oneOff struct {
	a       *app
	name    string
	opts    OneOff
	release state.Release

	ctx    context.Context //nolint:containedctx // the dyno's own life
	cancel context.CancelFunc
	done   chan struct{} // closed when nothing of it is left

	// Guarded by a.mu:
	id       string
	state    State
	since    time.Time
	attached bool
}

// CreateOneOff makes a dyno that runs a command of the current release's slug.
// It starts at once, or when somebody attaches.
func (m *Manager) CreateOneOff(ctx context.Context, by state.Actor, name string, opts OneOff) (Dyno, error) {
	a, err := m.loaded(ctx, name)
	if err != nil {
		return Dyno{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.wanted.Release.Slug == "":
		return Dyno{}, ErrNoSlug
	case m.usage.spent(a.wanted.App.Owner):
		return Dyno{}, ErrQuota
	case len(a.oneOffs) >= m.cfg.MaxOneOffs:
		return Dyno{}, ErrLimit
	case a.removed:
		return Dyno{}, ErrNotFound
	}
	o := &oneOff{
		a: a, name: a.freeName(), opts: opts, release: a.wanted.Release, done: make(chan struct{}),
		id: uuid.NewString(), state: Starting, since: time.Now(),
	}
	o.ctx, o.cancel = context.WithCancel(m.ctx)
	life := o.detached
	if opts.Attach {
		o.state = Created
		life = o.await
	}
	if !m.goWork(life) {
		o.cancel()
		return Dyno{}, ErrClosed
	}
	a.oneOffs[o.name] = o
	m.say(name, "api", fmt.Sprintf("Starting process with command `%s` by user %s", opts.Command, by.User))
	return o.dyno(), nil
}

// freeName finds a name that no one-off dyno of the app has.
func (a *app) freeName() string {
	for {
		name := fmt.Sprintf("%s.%d", run, 1000+rand.IntN(9000))
		if _, taken := a.oneOffs[name]; !taken {
			return name
		}
	}
}

// await gives up when nobody attaches.
func (o *oneOff) await() {
	late := time.NewTimer(attachTimeout)
	defer late.Stop()
	select {
	case <-late.C:
	case <-o.ctx.Done():
	}
	o.a.mu.Lock()
	attached := o.attached
	o.attached = true // nobody can any more
	o.a.mu.Unlock()
	if !attached {
		o.ended(nil)
	}
}

// detached runs the command with its output in the app's log.
func (o *oneOff) detached() {
	out, closeOut := o.a.output(o.name)
	exit, err := o.execute(o.ctx, Stdio{Stdout: out, Stderr: out}, func(Container) { _ = out.Close() })
	closeOut()
	if err != nil {
		o.a.m.say(o.a.name, o.name, "Error: "+err.Error())
		o.ended(nil)
		return
	}
	o.ended(&exit)
}

// Attach starts a one-off dyno that waits for it, and returns how it has ended.
// The dyno is stopped when ctx ends. t.Stdin is read until its end, so it must
// come to one once Attach has returned.
func (m *Manager) Attach(ctx context.Context, name, dyno string, t Terminal) (Exit, error) {
	a, err := m.loaded(ctx, name)
	if err != nil {
		return Exit{}, err
	}
	a.mu.Lock()
	o := a.oneOffs[dyno]
	if o == nil || o.attached {
		a.mu.Unlock()
		return Exit{}, fmt.Errorf("dyno %q that waits to be attached to: %w", dyno, ErrNotFound)
	}
	o.attached = true
	a.mu.Unlock()
	stop := context.AfterFunc(ctx, o.cancel)
	defer stop()
	exit, err := o.attach(t)
	if err != nil {
		o.ended(nil)
		return Exit{}, err
	}
	o.ended(&exit)
	return exit, nil
}

// attach joins a terminal's streams to the process by pipes.
func (o *oneOff) attach(t Terminal) (Exit, error) {
	var stdio Stdio
	var near, far []*os.File
	pipe := func(write bool) (*os.File, *os.File, error) {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, nil, fmt.Errorf("make pipe: %w", err)
		}
		if write {
			r, w = w, r
		}
		near, far = append(near, r), append(far, w)
		return r, w, nil
	}
	closeAll := func(files []*os.File) {
		for _, f := range files {
			_ = f.Close() // a pipe's end, closed before or not
		}
	}
	in, inEnd, err1 := pipe(true)
	out, outEnd, err2 := pipe(false)
	errs, errEnd, err3 := pipe(false)
	if err := errors.Join(err1, err2, err3); err != nil {
		closeAll(append(near, far...))
		return Exit{}, err
	}
	stdio.Stdin, stdio.Stdout, stdio.Stderr = inEnd, outEnd, errEnd
	var copying sync.WaitGroup
	copying.Go(func() { copyOutput(t.Stdout, out) })
	copying.Go(func() { copyOutput(orDiscard(t.Stderr), errs) })
	go func() {
		_, _ = io.Copy(in, t.Stdin) // the process may have closed its end
		_ = in.Close()
	}()
	resized := make(chan struct{})
	exit, err := o.execute(o.ctx, stdio, func(c Container) {
		closeAll(far)
		if t.Resize != nil {
			copying.Go(func() { o.resize(c, t.Resize, resized) })
		}
	})
	close(resized)
	closeAll(far)
	copying.Wait()
	_ = in.Close() // the copier's next write fails
	return exit, err
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}

func (o *oneOff) resize(c Container, sizes <-chan Size, end <-chan struct{}) {
	for {
		select {
		case size, ok := <-sizes:
			if !ok {
				return
			}
			if err := c.Resize(o.ctx, size); err != nil {
				o.a.m.log.Debug("terminal not resized", zap.String("app", o.a.name), zap.Error(err))
			}
		case <-end:
			return
		}
	}
}

// execute runs the command to its end. started is called once it runs.
func (o *oneOff) execute(ctx context.Context, stdio Stdio, started func(Container)) (Exit, error) {
	m := o.a.m
	o.set(Starting)
	spec := Spec{
		ID: containerID(o.name, uuid.NewString()[:13]), App: o.a.name, Name: o.name,
		Slug: Slug{App: o.a.name, Digest: o.release.Slug}, Command: o.opts.Command,
		Env: environment(o.release, o.name, o.opts.Env), TTY: o.opts.TTY, Size: o.opts.Size,
	}
	return m.execute(ctx, o.a, spec, stdio, func(c Container) {
		o.set(Up)
		started(c)
	})
}

// execute runs a container to its end, and ends it when ctx does.
func (m *Manager) execute(ctx context.Context, a *app, spec Spec, stdio Stdio, started func(Container)) (Exit, error) {
	c, err := m.start(ctx, spec, stdio)
	if err != nil {
		return Exit{}, err
	}
	defer m.discard(ctx, c, spec.App, spec.Name)
	defer a.charge()()
	started(c)
	exits := make(chan Exit, 1)
	var waiting sync.WaitGroup
	waiting.Go(func() { exits <- m.wait(ctx, c, spec.App, spec.Name) })
	defer waiting.Wait()
	select {
	case exit := <-exits:
		return exit, nil
	case <-ctx.Done():
		return m.terminate(ctx, c, exits, spec.App, spec.Name), nil
	}
}

func (o *oneOff) set(to State) {
	o.a.mu.Lock()
	defer o.a.mu.Unlock()
	if o.state == to {
		return
	}
	o.a.m.say(o.a.name, o.name, fmt.Sprintf("State changed from %s to %s", o.state, to))
	o.state, o.since = to, time.Now()
}

// ended notes that nothing of the dyno is left; exit is nil if it did not run.
func (o *oneOff) ended(exit *Exit) {
	o.cancel()
	if exit != nil {
		if cause := exit.Cause(); cause != "" {
			o.a.m.say(o.a.name, o.name, cause)
		}
		o.a.m.say(o.a.name, o.name, fmt.Sprintf("Process exited with status %d", exit.Code))
		o.a.m.say(o.a.name, o.name, "State changed from up to complete")
	}
	o.a.mu.Lock()
	defer o.a.mu.Unlock()
	delete(o.a.oneOffs, o.name)
	close(o.done)
}
