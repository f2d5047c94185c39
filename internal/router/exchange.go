package router

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.uber.org/zap"
)

// An exchange is one request and its answer.
type exchange struct {
	rt *Router
	w  http.ResponseWriter
	r  *http.Request
	rc *http.ResponseController

	app, host, id, fwd string
	frame              string // the address of the app's own page, while it is in maintenance
	upgrade            string // the protocol that the client wants to change to
	body               body
	upload             *upload // nil if no body is streamed, or not yet

	started   time.Time
	sent      time.Time // when a dyno was connected to
	dyno      string
	connect   time.Duration
	status    int   // what the client was told, 0 if nothing yet
	bytes     int64 // of the answer's body
	unflushed bool
	writeTill time.Time // the deadline of writing to the client
	tunnel    *tunnel   // once the client has changed to another protocol
}

// serve answers the request, and tells the app's log.
func (x *exchange) serve(ctx context.Context) {
	fail := x.refuse()
	if fail == nil {
		fail = x.route(ctx)
	}
	begun := x.status != 0
	if fail != nil && !begun {
		x.status = fail.status
		if fail.status != statusClientGone {
			fail.write(x.w, x.r, x.page(fail))
		}
	}
	x.tell(fail)
	switch {
	case x.tunnel != nil:
		x.rt.leave(x.tunnel)
	case fail != nil && (begun || x.status == statusClientGone):
		// The client must see that the answer is not whole.
		panic(http.ErrAbortHandler)
	}
}

// page is what the client is shown: the app's own page, if it has one for this.
func (x *exchange) page(fail *failure) string {
	if own := framed(fail.page.title, x.frame); own != "" {
		return own
	}
	return fail.page.render(x.app, x.host)
}

// refuse tells why a request cannot go to any dyno.
func (x *exchange) refuse() *failure {
	r := x.r
	switch {
	case r.Method == http.MethodConnect:
		return failMethod
	case len(target(r)) > x.rt.cfg.MaxURL:
		return failURL
	case size(r.Header) > x.rt.cfg.MaxHeader:
		return failHeader
	}
	x.body.of(r)
	if r.ProtoMajor == 1 && r.ProtoMinor == 1 && x.body.kind == noBody {
		x.upgrade = upgradeOf(r.Header)
	}
	return nil
}

// A verdict is what comes after an attempt.
type verdict int

const (
	settled     verdict = iota // the client has its answer, or an error to get
	stale                      // a kept connection was closed: a new one may do
	unanswered                 // a new connection was closed: another dyno may do
	unreachable                // no connection to this dyno: another one may do
)

// route asks for a dyno and passes the request to it, to another one if the
// first cannot be reached, and so on.
func (x *exchange) route(ctx context.Context) *failure {
	defer x.body.release()
	waiting, cancel := context.WithTimeout(ctx, x.rt.cfg.WakeTimeout)
	defer cancel()
	for n := 1; ; n++ {
		up, done, err := x.rt.cfg.Apps.Upstream(waiting, x.app)
		if err != nil {
			return x.unchosen(ctx, err)
		}
		v, fail := x.try(ctx, up, done)
		switch v {
		case settled, stale:
			return fail
		case unanswered:
			return x.elsewhere(ctx, up, fail)
		case unreachable:
			x.rt.cfg.Apps.Failed(x.app, up)
			if n >= x.rt.cfg.Attempts || !pause(waiting, n) {
				return fail
			}
		}
	}
}

func (x *exchange) unchosen(ctx context.Context, err error) *failure {
	x.dyno = ""
	if down := (*MaintenanceError)(nil); errors.As(err, &down) {
		x.frame = down.Page
	}
	fail := choosing(ctx, err)
	if fail == failOurs {
		x.rt.log.Error("no dyno was chosen", zap.String("app", x.app), zap.Error(err))
	}
	return fail
}

// glance is how long another dyno is looked for, after one has hung up. While
// dynos are replaced, the new ones are up before the old ones go.
const glance = 100 * time.Millisecond

// elsewhere gives a harmless request one more chance, if there is another dyno
// right now.
func (x *exchange) elsewhere(ctx context.Context, first Upstream, fail *failure) *failure {
	glancing, cancel := context.WithTimeout(ctx, glance)
	defer cancel()
	up, done, err := x.rt.cfg.Apps.Upstream(glancing, x.app)
	if err != nil {
		return fail
	}
	if up.Key == first.Key {
		done()
		return fail
	}
	_, fail = x.try(ctx, up, done)
	return fail
}

// try passes the request to one dyno, by a new connection if a kept one turns
// out closed.
func (x *exchange) try(ctx context.Context, up Upstream, done func()) (verdict, *failure) {
	defer done()
	if fail := x.fill(); fail != nil {
		return settled, fail
	}
	v, fail := x.attempt(ctx, up, true)
	if v == stale {
		v, fail = x.attempt(ctx, up, false)
	}
	return v, fail
}

// pause waits before the next dyno is tried: not at all first, then longer and
// longer.
func pause(ctx context.Context, n int) bool {
	if n == 1 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(5 * time.Millisecond << (2 * min(n, 5)))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// attempt passes the request over one connection.
func (x *exchange) attempt(ctx context.Context, up Upstream, mayKeep bool) (verdict, *failure) {
	c, err := x.dial(ctx, up, mayKeep)
	if err != nil {
		switch {
		case ctx.Err() != nil:
			return settled, failGone
		case errors.Is(err, context.DeadlineExceeded):
			return unreachable, failDial
		}
		return unreachable, failRefused
	}
	// Closing interrupts whatever waits for the dyno.
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	v, reusable, fail := x.talk(c)
	if !stop() || !reusable || c.br.Buffered() > 0 {
		_ = c.Close() // closed already where the client has gone
		x.rt.pool.drop(c.shelf)
	} else {
		x.rt.pool.give(c.shelf, c.Conn)
	}
	c.release()
	return v, fail
}

// young is how old a kept connection may be for a request that cannot be sent
// again: the dyno may be closing older ones at this very moment.
const young = time.Second

// dial takes a kept connection, or makes one.
func (x *exchange) dial(ctx context.Context, up Upstream, mayKeep bool) (*conn, error) {
	began := time.Now()
	for mayKeep {
		oldest := x.rt.cfg.KeepAlive
		if !x.repeatable() {
			oldest = young
		}
		s, c := x.rt.pool.take(up.Key, oldest)
		if c == nil {
			break
		}
		if alive(c) {
			x.dyno, x.connect, x.sent = up.Name, 0, began
			return newConn(c, s, true), nil
		}
		_ = c.Close() // the dyno has closed it
		x.rt.pool.drop(s)
	}
	ctx, cancel := context.WithTimeout(ctx, x.rt.cfg.DialTimeout)
	defer cancel()
	c, err := up.Dial(ctx)
	x.dyno, x.sent = up.Name, time.Now()
	x.connect = x.sent.Sub(began)
	if err != nil {
		return nil, err
	}
	return newConn(c, x.rt.pool.shelf(up.Key), false), nil
}

// repeatable tells whether it does no harm if a dyno gets the request twice
// (RFC 9110, 9.2.1).
func (x *exchange) repeatable() bool {
	switch x.r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return x.body.kind != streamed
	}
	return false
}

// tell writes the line of the request to the app's log.
func (x *exchange) tell(fail *failure) {
	if x.rt.cfg.Log == nil {
		return
	}
	l := line{
		failure: fail, method: x.r.Method, path: target(x.r), host: x.host, id: x.id, fwd: x.fwd,
		dyno: x.dyno, connect: x.connect, status: x.status, bytes: x.bytes, protocol: "http",
	}
	if x.dyno != "" {
		l.service = time.Since(x.sent)
	}
	if x.r.TLS != nil {
		l.protocol = "https"
	}
	x.rt.cfg.Log(x.app, l.String())
}
