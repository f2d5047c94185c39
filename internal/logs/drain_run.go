package logs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"time"

	"go.uber.org/zap"
)

const (
	batchLines = 500
	batchBytes = 64 << 10
	noteEvery  = time.Minute
)

// errStopped says that the app does not have the drain any more.
var errStopped = errors.New("the drain was removed")

// A batch is what is delivered at once.
type batch struct {
	id    string // the same when it is tried again
	lines []Line
}

// A sender delivers batches, one at a time.
type sender interface {
	send(ctx context.Context, b batch) error
	close()
}

// A drainer is a drain at work.
type drainer struct {
	Drain
	app    string
	cfg    DrainsConfig
	log    *zap.Logger
	target target
	lines  *follower
	out    sender
	done   chan struct{} // closed when nothing more will be sent

	cancel context.CancelCauseFunc // nil before it runs; guarded by Drains.mu

	noted time.Time // when people were last told of a failure
}

func (d *Drains) newDrainer(app string, drain Drain) (*drainer, error) {
	t, err := parseDrain(drain.URL, d.cfg.AllowHTTP)
	if err != nil {
		return nil, err
	}
	lines, err := d.store.follow(app, Options{Follow: true}, "L10 (drain buffer overflow)")
	if err != nil {
		return nil, err
	}
	r := &drainer{
		Drain: drain, app: app, cfg: d.cfg, target: t, lines: lines, done: make(chan struct{}),
		log: d.cfg.Log.With(zap.String("app", app), zap.String("drain", drain.ID)),
	}
	if t.scheme == "syslog" || t.scheme == "syslog+tls" {
		r.out = &syslogSender{cfg: d.cfg, target: t, token: drain.Token}
	} else {
		r.out = &httpSender{client: d.client, target: t, token: drain.Token}
	}
	return r, nil
}

// stop ends the drain at once. Drains.mu is held.
func (r *drainer) stop() {
	if r.cancel == nil {
		r.end()
		return
	}
	r.cancel(errStopped)
}

func (r *drainer) end() {
	r.out.close()
	r.lines.close()
	close(r.done)
}

// ended is true after the app's log was removed, too.
func (r *drainer) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// run sends lines until ctx is done, and what is left a while longer.
func (r *drainer) run(ctx context.Context) {
	defer r.end()
	// A delivery under way is not cut off by the end of the server.
	life, kill := context.WithCancel(context.WithoutCancel(ctx))
	defer kill()
	late := time.AfterFunc(r.cfg.Grace, kill)
	late.Stop()
	defer late.Stop()
	defer context.AfterFunc(ctx, func() {
		if errors.Is(context.Cause(ctx), errStopped) {
			kill()
			return
		}
		late.Reset(r.cfg.Grace)
	})()
	for life.Err() == nil {
		b, err := r.batch(ctx)
		if errors.Is(context.Cause(ctx), errStopped) {
			return
		}
		switch {
		case err == nil:
			r.deliver(ctx, life, b)
		case errors.Is(err, io.EOF), errors.Is(err, errGone), errors.Is(err, ErrClosed):
			return
		default:
			r.log.Warn("log not read: the drain tries again", zap.Error(err))
			r.pause(ctx, life, r.cfg.MaxRetry)
		}
	}
}

// batch waits for lines. It returns io.EOF when ctx is done and none are left.
func (r *drainer) batch(ctx context.Context) (batch, error) {
	b := batch{}
	for size := 0; len(b.lines) < batchLines && size < batchBytes; {
		l, err := r.lines.next()
		if errors.Is(err, io.EOF) {
			if len(b.lines) > 0 {
				break
			}
			if err := r.await(ctx); err != nil {
				return b, err
			}
			continue
		}
		if err != nil {
			return b, err
		}
		b.lines = append(b.lines, l)
		size += len(l.Text)
	}
	b.id = rand.Text()
	return b, nil
}

// await waits for more to read. At the end it has what was appended last
// written, since that is where it is read from.
func (r *drainer) await(ctx context.Context) error {
	err := r.lines.wait(ctx)
	if err == nil || ctx.Err() == nil {
		return err
	}
	if err := r.lines.cur.st.ready(); err != nil {
		return err
	}
	if r.lines.cur.pos >= r.lines.cur.st.now().end {
		return io.EOF
	}
	return nil
}

// deliver sends a batch, again and again if need be, until life ends.
func (r *drainer) deliver(ctx, life context.Context, b batch) {
	for wait := r.cfg.Retry; ; wait = min(2*wait, r.cfg.MaxRetry) {
		err := r.sendOnce(life, b)
		if err == nil || life.Err() != nil {
			return
		}
		r.note(err)
		if errors.Is(err, errRefused) {
			return
		}
		// Drains that failed together do not come back together.
		if !r.pause(ctx, life, wait/2+mathrand.N(wait/2+1)) {
			return
		}
	}
}

func (r *drainer) sendOnce(life context.Context, b batch) error {
	ctx, cancel := context.WithTimeout(life, r.cfg.Timeout)
	defer cancel()
	return r.out.send(ctx, b)
}

// pause is cut short once, by the end of ctx, and false at the end of life.
func (r *drainer) pause(ctx, life context.Context, wait time.Duration) bool {
	ending := ctx.Done()
	if ctx.Err() != nil {
		ending = nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ending:
	case <-life.Done():
	}
	return life.Err() == nil
}

// note tells the app's owner of a failure, now and then.
func (r *drainer) note(err error) {
	if !r.noted.IsZero() && time.Since(r.noted) < noteEvery {
		return
	}
	r.noted = time.Now()
	r.log.Info("drain does not deliver", zap.Error(err))
	text := fmt.Sprintf("Error L13 (delivery error): drain %s at %s: %v", r.ID, r.target.addr, err)
	if !errors.Is(err, errRefused) {
		text += "; it is tried again, check the receiver"
	}
	r.lines.store.Append(r.app, Line{Source: SourceSlipway, Dyno: "logs", Text: text})
}
