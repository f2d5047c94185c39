package port

import (
	"container/list"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

// Config configures a [Listener]. Its zero value is usable except for TLS.
type Config struct {
	// TLS is how connections with TLS are answered; required.
	TLS *tls.Config
	// Only refuses connections without TLS, in words.
	Only bool
	// Talk gets a TLS connection whose first line is no request of HTTP: a word
	// alone. The line is taken off. Talk closes the connection; ctx is Run's. There
	// is nothing but HTTP if it is nil.
	Talk func(ctx context.Context, conn net.Conn, word string)
	// Patience is how long a client may take to show what it speaks; 20s if zero.
	Patience time.Duration
	// MaxSilent is how many connections may not have shown it yet; 1000 if zero.
	// The one that has waited longest goes for a new one.
	MaxSilent int
}

// A Listener is a [net.Listener] for an HTTP server. It accepts nothing before
// Run is called. Connections that it has passed on are the server's.
type Listener struct {
	inner  net.Listener
	cfg    Config
	ready  chan accepted
	closed chan struct{}
	close  func() error

	mu     sync.Mutex
	silent list.List // of net.Conn, the longest silent first
	over   bool      // no connection is listened to any more
}

// accepted is a connection that speaks HTTP, or why there is none.
type accepted struct {
	conn net.Conn
	err  error
}

var _ net.Listener = (*Listener)(nil)

// New makes a Listener of one that accepts TCP connections. Closing it closes
// both.
func New(inner net.Listener, cfg Config) *Listener {
	if cfg.Patience <= 0 {
		cfg.Patience = 20 * time.Second
	}
	if cfg.MaxSilent <= 0 {
		cfg.MaxSilent = 1000
	}
	l := &Listener{inner: inner, cfg: cfg, ready: make(chan accepted), closed: make(chan struct{})}
	l.close = sync.OnceValue(func() error {
		close(l.closed)
		err := inner.Close()
		l.hangUp()
		return err
	})
	return l
}

// Run accepts connections until Close, or until ctx is done. It returns when
// everything that it has started has ended, Talk included.
func (l *Listener) Run(ctx context.Context) error {
	var all sync.WaitGroup
	defer all.Wait()
	stop := context.AfterFunc(ctx, func() { _ = l.close() }) // Close tells
	defer stop()
	for {
		conn, err := l.inner.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			// The HTTP server knows which errors pass, and waits before it asks again.
			if !l.pass(accepted{err: err}) {
				return nil
			}
			continue
		}
		all.Go(func() { l.meet(ctx, conn) })
	}
}

// Accept implements [net.Listener].
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case a := <-l.ready:
		return a.conn, a.err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Addr implements [net.Listener].
func (l *Listener) Addr() net.Addr { return l.inner.Addr() }

// Close stops accepting, and closes the connections that have not shown yet what
// they speak.
func (l *Listener) Close() error { return l.close() }

// pass hands something to Accept, and tells whether anybody takes it.
func (l *Listener) pass(a accepted) bool {
	select {
	case l.ready <- a:
		return true
	case <-l.closed:
		return false
	}
}

// meet finds out what a connection speaks, and passes it on.
func (l *Listener) meet(ctx context.Context, conn net.Conn) {
	place := l.await(conn)
	if place == nil {
		_ = conn.Close() // nobody listens any more
		return
	}
	found, word, err := l.identify(ctx, conn)
	l.mu.Lock()
	l.silent.Remove(place)
	l.mu.Unlock()
	if err == nil {
		err = conn.SetDeadline(time.Time{})
	}
	switch {
	case err != nil:
		_ = conn.Close() // who says nothing, or nothing that we know, is not told why
	case word != "":
		l.cfg.Talk(ctx, found, word)
	case !l.pass(accepted{conn: found}):
		_ = conn.Close() // the server stops
	}
}

// await lists a connection among the silent ones; nil if the listener is closed.
func (l *Listener) await(conn net.Conn) *list.Element {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return nil
	}
	if l.silent.Len() >= l.cfg.MaxSilent {
		first := l.silent.Front()
		_ = l.silent.Remove(first).(net.Conn).Close() // its own goroutine notices
	}
	return l.silent.PushBack(conn)
}

// hangUp closes all silent connections, and lets no more be.
func (l *Listener) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	for e := l.silent.Front(); e != nil; e = e.Next() {
		_ = e.Value.(net.Conn).Close() // its own goroutine notices
	}
}
