package gitserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"go.uber.org/zap"

	"slipway/gitserver/pktline"
	"slipway/gitserver/repo"
)

// timeoutSlack is how much later than a push's context its connection times
// out, so that the words are about the push.
const timeoutSlack = 100 * time.Millisecond

// receivePack serves one push, from its first command to its report.
func (s *Server) receivePack(ctx context.Context, c *call, w *wire) error {
	start := time.Now()
	w.endAt(start.Add(s.cfg.PushTimeout + timeoutSlack))
	ctx, cancel := context.WithTimeoutCause(ctx, s.cfg.PushTimeout, errPushTimeout)
	defer cancel()
	req, err := s.readPush(w.in)
	if errors.Is(err, errHungUp) {
		return err
	}
	out := newReply(w, req.caps)
	if err == nil && len(req.commands) == 0 {
		return w.finish() // nothing to push, or git's probe
	}
	if err != nil {
		text := s.words(ctx, c, err)
		w.drain(ctx)
		return errors.Join(err, out.fatal(text))
	}
	ctx, gone := context.WithCancelCause(ctx)
	defer gone(nil)

	r, err := repo.Open(c.dir, s.cfg.Repo)
	if err != nil {
		text := s.words(ctx, c, err)
		w.drain(ctx)
		return errors.Join(err, out.fatal(text))
	}
	defer func() { c.warn("close repository", r.Close()) }()
	v := &receiving{s: s, c: c, w: w, out: out, repo: r, req: req}
	v.judgeCommands()
	unpack := v.run(ctx, gone)
	s.pushed.add(c.repo)
	c.log.Info("push answered", zap.Int("refs", len(req.commands)), zap.Int("moved", v.moved()),
		zap.Duration("took", time.Since(start)))
	return v.report(ctx, unpack)
}

// A receiving is one push on its way.
type receiving struct {
	s    *Server
	c    *call
	w    *wire
	out  *reply
	repo *repo.Repo
	req  *pushRequest

	verdicts []verdict
}

// run does everything between the commands and the report, and returns what the
// report says of the pack.
func (v *receiving) run(ctx context.Context, gone func(error)) (unpack string) {
	q, stop, err := v.ingest(ctx, gone)
	defer func() { stop() }()
	if err != nil {
		text := v.s.words(ctx, v.c, err)
		v.w.drain(ctx)
		v.out.say("Push rejected: " + text)
		v.rejectAll("unpacker error")
		return text
	}
	defer func() { v.c.warn("discard quarantine", q.Discard()) }()
	v.judgeObjects(ctx, q)
	if err := v.decide(ctx, q, gone); err != nil {
		v.explain(ctx, err)
	}
	return unpackOK
}

// ingest reads the pack into quarantine. The returned function ends the
// keepalives, which begin as soon as the client has nothing more to send.
func (v *receiving) ingest(ctx context.Context, gone func(error)) (*repo.Quarantine, func(), error) {
	stop := func() {}
	var started sync.Once
	listen := func() {
		started.Do(func() { stop = v.out.keepalive(ctx, v.s.cfg.Keepalive, pktline.BandProgress, gone) })
	}
	if !v.req.needsPack() {
		err := v.w.finish()
		listen()
		return v.repo.NoPack(), stop, err
	}
	start := time.Now()
	q, err := v.repo.Ingest(ctx, v.w.in, repo.IngestOptions{
		EOF: v.c.stateless,
		OnWait: func() {
			v.out.say("Waiting for memory, which other pushes and fetches hold...")
			listen()
		},
		Progress: func(p repo.Progress) {
			if p.Stage != repo.StageReceiving {
				listen()
			}
		},
	})
	if err != nil {
		return nil, stop, fmt.Errorf("ingest: %w", err)
	}
	if err := v.w.finish(); err != nil {
		return nil, stop, errors.Join(err, q.Discard())
	}
	listen()
	v.c.log.Info("push received", zap.Int("objects", q.Count()), zap.Int64("bytes", q.Size()),
		zap.Duration("took", time.Since(start)))
	return q, stop, nil
}

// decide waits for the push's turn, asks the Receiver and moves the refs. The
// verdicts say how each command fared; an error concerns all of them.
func (v *receiving) decide(ctx context.Context, q *repo.Quarantine, gone func(error)) error {
	if len(v.standing()) == 0 {
		return nil
	}
	leave, err := v.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if err := v.judgeRefs(); err != nil {
		return err
	}
	if len(v.standing()) == 0 {
		return nil
	}
	if err := v.preReceive(ctx, q); err != nil {
		return err
	}
	commit, err := v.ask(ctx, q, gone)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err() // nobody reads the answer: the push must not stand
	}
	// From here on a client that goes away changes nothing.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), applyTimeout)
	defer cancel()
	return v.apply(ctx, q, commit)
}

// enter waits for the pushes before this one.
func (v *receiving) enter(ctx context.Context) (leave func(), err error) {
	start, waited := time.Now(), false
	leave, err = v.s.queue.enter(ctx, v.c.repo, func() {
		waited = true
		v.out.say(fmt.Sprintf("Waiting for another push to %s to finish...", v.c.repo))
	})
	if err == nil && waited {
		v.c.log.Info("push waited", zap.Duration("took", time.Since(start)))
	}
	return leave, err
}

// ask shows the push to the Receiver.
func (v *receiving) ask(ctx context.Context, q *repo.Quarantine, gone func(error)) (CommitFunc, error) {
	if v.s.cfg.Receiver == nil {
		return nil, nil
	}
	p := &Push{
		ID: v.c.id, Repo: v.c.repo, User: v.c.user, Transport: v.c.transport, Remote: v.c.remote,
		Options: v.req.options, Atomic: v.req.caps.atomic,
		Tree: q.Tree,
		Commit: func(h plumbing.Hash) (Commit, error) {
			return readCommit(q, h)
		},
	}
	for _, i := range v.standing() {
		p.Commands = append(p.Commands, v.verdicts[i].cmd)
	}
	start := time.Now()
	commit, err := v.s.cfg.Receiver.Receive(ctx, p, &cancelWriter{w: v.out.progress(), gone: gone})
	v.c.log.Info("push decided", zap.Bool("accepted", err == nil), zap.Duration("took", time.Since(start)))
	if err != nil {
		return nil, &declinedError{err: err}
	}
	return commit, nil
}

// explain shows an error that concerns all commands, and rejects them.
func (v *receiving) explain(ctx context.Context, err error) {
	var (
		d        *declinedError
		rejected *RejectError
	)
	switch {
	case errors.As(err, &rejected):
		v.print(rejected.Text)
		for i := range v.verdicts {
			v.reject(i, rejected.reason(v.verdicts[i].cmd.Ref))
		}
	case errors.As(err, &d) && !interrupted(err):
		v.print(d.err.Error())
		v.rejectAll(reasonDeclined)
	default:
		text := v.s.words(ctx, v.c, err)
		v.out.say("Push rejected: " + text)
		v.rejectAll(text)
	}
}

// print shows the Receiver's own words as they are.
func (v *receiving) print(text string) {
	if text == "" {
		return
	}
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	_, _ = io.WriteString(v.out.progress(), text) // a client that is gone is noticed by its context
}

// report ends the push.
func (v *receiving) report(ctx context.Context, unpack string) error {
	if v.req.caps.report() {
		if _, err := v.out.data().Write(formatReport(unpack, v.verdicts)); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	v.postHooks(ctx)
	if err := v.out.close(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// A declinedError is the Receiver's refusal.
type declinedError struct{ err error }

func (d *declinedError) Error() string { return d.err.Error() }
func (d *declinedError) Unwrap() error { return d.err }

// A cancelWriter tells of the first failed write.
type cancelWriter struct {
	w    io.Writer
	gone func(error)
}

func (w *cancelWriter) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	if err != nil {
		w.gone(fmt.Errorf("%w: %w", errGone, err))
	}
	return n, err
}

func readCommit(q *repo.Quarantine, h plumbing.Hash) (Commit, error) {
	peeled, _, err := q.Peel(h)
	if err != nil {
		return Commit{}, fmt.Errorf("read commit %s: %w", h, err)
	}
	c, err := q.Commit(peeled)
	if err != nil {
		return Commit{}, fmt.Errorf("read commit %s: %w", h, err)
	}
	return Commit{Author: c.Author.Name, Email: c.Author.Email, Subject: c.Subject()}, nil
}
