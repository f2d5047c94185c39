package router

import (
	"net"
	"sync"
	"time"
)

// A pool keeps connections to dynos that have nothing to do.
type pool struct {
	maxIdle int
	keep    time.Duration

	mu      sync.Mutex
	shelves map[string]*shelf
	sweeper *time.Timer // runs while a connection is kept
	closed  bool
}

// A shelf holds the kept connections of one upstream, the latest last. The
// pool's mutex guards it.
type shelf struct {
	key  string
	kept []keptConn
	used int // connections that are out
	gone bool
}

type keptConn struct {
	conn  net.Conn
	since time.Time
}

func newPool(maxIdle int, keep time.Duration) *pool {
	return &pool{maxIdle: maxIdle, keep: keep, shelves: map[string]*shelf{}}
}

// take hands out the connection that was used last, if it was put back within
// youngest. Then give or drop must be called with its shelf.
func (p *pool) take(key string, youngest time.Duration) (*shelf, net.Conn) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.shelves[key]
	if s == nil {
		return nil, nil
	}
	n := len(s.kept) - 1
	if n < 0 || now.Sub(s.kept[n].since) > min(youngest, p.keep) {
		return nil, nil
	}
	c := s.kept[n].conn
	s.kept[n] = keptConn{}
	s.kept = s.kept[:n]
	s.used++
	return s, c
}

// shelf finds the place for a new connection. Then give or drop must be called.
func (p *pool) shelf(key string) *shelf {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.shelves[key]
	if s == nil {
		s = &shelf{key: key}
		p.shelves[key] = s
	}
	s.used++
	return s
}

// give puts a connection back, ready for the next request.
func (p *pool) give(s *shelf, c net.Conn) {
	p.mu.Lock()
	s.used--
	full := p.closed || s.gone || len(s.kept) >= p.maxIdle
	if !full {
		s.kept = append(s.kept, keptConn{c, time.Now()})
		if p.sweeper == nil {
			p.sweeper = time.AfterFunc(p.keep, p.sweep)
		}
	}
	p.mu.Unlock()
	if full {
		_ = c.Close() // nothing is under way on it
	}
}

// drop says that a connection did not come back.
func (p *pool) drop(s *shelf) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.used--
	if s.used == 0 && len(s.kept) == 0 && !s.gone {
		delete(p.shelves, s.key)
	}
}

// forget closes what is kept for an upstream that is gone. Connections that are
// out are closed when they come back.
func (p *pool) forget(key string) {
	p.mu.Lock()
	s := p.shelves[key]
	if s == nil {
		p.mu.Unlock()
		return
	}
	s.gone = true
	delete(p.shelves, key)
	kept := s.kept
	s.kept = nil
	p.mu.Unlock()
	closeAll(kept)
}

// sweep closes what was kept for too long.
func (p *pool) sweep() {
	oldest := time.Now().Add(-p.keep)
	var old []keptConn
	p.mu.Lock()
	left := 0
	for key, s := range p.shelves {
		n := 0
		for n < len(s.kept) && !s.kept[n].since.After(oldest) {
			n++
		}
		old = append(old, s.kept[:n]...)
		s.kept = append(s.kept[:0:0], s.kept[n:]...)
		left += len(s.kept)
		if s.used == 0 && len(s.kept) == 0 {
			delete(p.shelves, key)
		}
	}
	p.sweeper = nil
	if left > 0 && !p.closed {
		p.sweeper = time.AfterFunc(p.keep/2, p.sweep)
	}
	p.mu.Unlock()
	closeAll(old)
}

// close closes what is kept, and keeps nothing from now on.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	if p.sweeper != nil {
		p.sweeper.Stop()
	}
	var all []keptConn
	for _, s := range p.shelves {
		all = append(all, s.kept...)
		s.kept = nil
	}
	p.mu.Unlock()
	closeAll(all)
}

func closeAll(kept []keptConn) {
	for _, k := range kept {
		_ = k.conn.Close() // nothing is under way on it
	}
}
