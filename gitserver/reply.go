package gitserver

import (
	"context"
	"io"
	"strings"
	"sync"
	"time"

	"slipway/gitserver/pktline"
)

// A reply is what a client hears: bands if it asked for them, else bare
// packets.
type reply struct {
	w   *wire
	mux *pktline.Mux // nil without side bands
}

func newReply(w *wire, caps capabilities) *reply {
	r := &reply{w: w}
	if caps.sideband > 0 {
		r.mux = pktline.NewMux(w.out, w.flush, caps.sideband)
	}
	return r
}

// progress is what the user reads as it is written.
func (r *reply) progress() io.Writer {
	if r.mux == nil {
		return r.w.notes
	}
	return r.mux.Band(pktline.BandProgress)
}

// say shows words to the user in Heroku's manner.
func (r *reply) say(text string) {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(" !     " + strings.TrimRight(line, "\r\n") + "\n")
	}
	_, _ = io.WriteString(r.progress(), b.String()) // a client that is gone is noticed by its context
}

// data is the writer of the pack or the report.
func (r *reply) data() io.Writer {
	if r.mux == nil {
		return r.w.out
	}
	return r.mux.Band(pktline.BandData)
}

// fatal ends the reply with an error in words.
func (r *reply) fatal(text string) error {
	if r.mux != nil {
		_, _ = io.WriteString(r.mux.Band(pktline.BandFatal), text+"\n") // Close returns its error
		return r.mux.Close()
	}
	if err := pktline.NewWriter(r.w.out).Line("ERR " + text + "\n"); err != nil {
		return err
	}
	return r.w.flush()
}

// close ends the reply. Bands end with a flush packet, bare packets as they are.
func (r *reply) close() error {
	if r.mux == nil {
		return r.w.flush()
	}
	return r.mux.Close()
}

// keepalive fills silence with empty packets until the returned function is
// called, which waits for it to end. gone is called when nobody reads any more.
func (r *reply) keepalive(ctx context.Context, every time.Duration, b pktline.Band, gone func(error)) (stop func()) {
	if r.mux == nil || every <= 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.fillSilence(ctx, every, b, gone)
	}()
	var once sync.Once
	return func() {
		once.Do(func() {
			cancel()
			<-done
		})
	}
}

func (r *reply) fillSilence(ctx context.Context, every time.Duration, b pktline.Band, gone func(error)) {
	timer := time.NewTimer(every)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		last, err := r.mux.Keepalive(b, time.Now().Add(-every))
		if err != nil {
			gone(err)
			return
		}
		timer.Reset(max(every-time.Since(last), time.Millisecond))
	}
}
