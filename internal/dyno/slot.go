package dyno

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"slipway/internal/state"
)

// A slot keeps one dyno of one release running: it starts it again when it
// ends, until the slot is cancelled.
type slot struct {
	a       *app
	name    string
	kind    string
	command string
	release state.Release

	ctx    context.Context //nolint:containedctx // the slot's own life
	cancel context.CancelFunc
	done   chan struct{} // closed when nothing of it is left

	// Guarded by a.mu:
	id       string
	state    State
	since    time.Time
	exit     *Exit
	retry    time.Time
	before   []*slot // serve until this one does
	upstream *upstream
}

// newSlot makes a slot that does not run yet. The caller holds a.mu.
func (a *app) newSlot(name string, p state.Process) *slot {
	s := &slot{
		a: a, name: name, kind: p.Type, command: p.Command, release: a.wanted.Release,
		done: make(chan struct{}), id: uuid.NewString(), state: Starting, since: time.Now(),
	}
	s.ctx, s.cancel = context.WithCancel(a.m.ctx)
	a.all[s] = struct{}{}
	return s
}

// retire stops the slot and those that serve in its place. The caller holds a.mu.
func (s *slot) retire() {
	for _, old := range s.before {
		old.cancel()
	}
	s.before = nil
	s.cancel()
}

// run starts the dyno until the slot is cancelled.
func (s *slot) run() {
	defer s.ended()
	crashes := 0
	for s.ctx.Err() == nil {
		started := time.Now()
		exit, err := s.once()
		if s.ctx.Err() != nil {
			return
		}
		if err != nil {
			s.a.m.log.Error("dyno not started", zap.String("app", s.a.name), zap.String("dyno", s.name), zap.Error(err))
			s.say("Error: " + startError(err))
		}
		if time.Since(started) > steady {
			crashes = 0
		}
		s.crash(exit, backOff(crashes))
		crashes++
		if !s.pause() {
			return
		}
	}
}

const (
	// steady is how long a dyno must have run for its crash to count as the first.
	steady = 5 * time.Minute
	// firstRetry follows the second crash in a row; the first is answered at once.
	firstRetry = time.Second
	// longestRetry bounds the doubling.
	longestRetry = 10 * time.Minute
)

// backOff is how long a dyno that crashed rests, by how often it did before.
func backOff(crashes int) time.Duration {
	if crashes == 0 {
		return 0
	}
	if crashes > 20 {
		return longestRetry
	}
	return min(firstRetry<<(crashes-1), longestRetry)
}

// crash notes that the dyno has ended by itself.
func (s *slot) crash(exit Exit, pause time.Duration) {
	s.a.mu.Lock()
	defer s.a.mu.Unlock()
	s.exit = &exit
	s.retry = time.Now().Add(pause)
	s.setState(Crashed)
}

// pause waits until the dyno may be started again.
func (s *slot) pause() bool {
	s.a.mu.Lock()
	wait := time.NewTimer(time.Until(s.retry))
	s.a.mu.Unlock()
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-s.ctx.Done():
		return false
	}
	s.a.mu.Lock()
	defer s.a.mu.Unlock()
	s.retry = time.Time{}
	s.setState(Starting)
	return true
}

// ended notes that nothing of the slot is left.
func (s *slot) ended() {
	s.cancel()
	s.a.mu.Lock()
	defer s.a.mu.Unlock()
	s.finish()
}

// finish is ended for who holds a.mu.
func (s *slot) finish() {
	s.setState(Down)
	delete(s.a.all, s)
	close(s.done)
}

// setState also tells the app's log. The caller holds a.mu.
func (s *slot) setState(to State) {
	if s.state == to {
		return
	}
	s.say(fmt.Sprintf("State changed from %s to %s", s.state, to))
	s.a.m.log.Info("dyno changed", zap.String("app", s.a.name), zap.String("dyno", s.name), zap.String("state", string(to)))
	s.state, s.since = to, time.Now()
	if to != Up {
		s.upstream = nil
	}
	s.a.notify()
}

// say writes a line about the dyno into the app's log.
func (s *slot) say(text string) { s.a.m.say(s.a.name, s.name, text) }

// once runs the dyno from its start to its end.
func (s *slot) once() (Exit, error) {
	s.say("Starting process with command `" + s.command + "`")
	out, closeOut := s.a.output(s.name)
	defer closeOut()
	id := containerID(s.name, uuid.NewString()[:13])
	c, err := s.a.m.start(s.ctx, Spec{
		ID: id, App: s.a.name, Name: s.name, Type: s.kind,
		Slug: Slug{App: s.a.name, Digest: s.release.Slug},
		Env:  environment(s.release, s.name, nil),
	}, Stdio{Stdout: out, Stderr: out})
	_ = out.Close() // ours of a pipe; the process has its own
	if err != nil {
		return Exit{Code: -1}, err
	}
	defer s.a.m.discard(s.ctx, c, s.a.name, s.name)
	defer s.a.m.cfg.Gone(id)
	defer s.a.charge()()
	exits := make(chan Exit, 1)
	var waiting sync.WaitGroup
	waiting.Go(func() { exits <- s.a.m.wait(s.ctx, c, s.a.name, s.name) })
	exit := s.attend(c, id, exits)
	waiting.Wait()
	return exit, nil
}

// attend looks after a container that runs, until it has ended.
func (s *slot) attend(c Container, id string, exits <-chan Exit) Exit {
	if s.kind == web {
		exit, up := s.boot(c, exits)
		if !up {
			return exit
		}
	}
	s.up(c, id)
	select {
	case exit := <-exits:
		return s.sayExit(exit)
	case <-s.ctx.Done():
		s.drain()
		return s.sayExit(s.a.m.terminate(s.ctx, c, exits, s.a.name, s.name))
	}
}

// up notes that the dyno runs, and sends those away whose place it takes.
func (s *slot) up(c Container, id string) {
	s.a.mu.Lock()
	defer s.a.mu.Unlock()
	if s.ctx.Err() != nil {
		return
	}
	if s.kind == web {
		s.upstream = &upstream{key: id, dial: c.Dial}
	}
	s.setState(Up)
	for _, old := range s.before {
		old.cancel()
	}
	s.before = nil
}

func (s *slot) sayExit(exit Exit) Exit {
	if cause := exit.Cause(); cause != "" {
		s.say(cause)
	}
	s.say(fmt.Sprintf("Process exited with status %d", exit.Code))
	return exit
}

// output makes the pipe that a dyno writes to. The returned function waits
// until its last line is in the app's log.
func (a *app) output(dyno string) (*os.File, func()) {
	w := a.m.cfg.Logs.Writer(a.name, "app", dyno)
	in, out, err := os.Pipe()
	if err != nil {
		a.m.log.Error("dyno without output", zap.String("app", a.name), zap.String("dyno", dyno), zap.Error(err))
		return nil, func() { _ = w.Close() } // nothing was written to it
	}
	var copying sync.WaitGroup
	copying.Go(func() { copyOutput(w, in) })
	return out, func() {
		_ = out.Close() // closed before, where the dyno was started
		copying.Wait()
		_ = w.Close() // the log keeps its own account of what it could not write
	}
}

// startError is what an app's owner is told: what is in the error beyond the
// process itself is the operator's to see.
func startError(err error) string {
	text := err.Error()
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		text = text[:i]
	}
	return text + ". The dyno will be started again; slipway ps:restart does it now"
}
