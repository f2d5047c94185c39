package gitserver

import (
	"sync"
	"time"
)

// A pace bounds how long one direction of a client may keep us waiting. It has
// so much credit: each moment of waiting costs as much, each byte that gets
// through brings back what it may take at the lowest rate. So a client that is
// silent is cut off when the credit is used up, and one that sends a byte now
// and then only a little later.
type pace struct {
	credit time.Duration // at most; a longer silence ends the exchange
	rate   int64         // bytes a second

	mu    sync.Mutex
	left  time.Duration
	until time.Time // when the exchange ends in any case; zero for never
}

func newPace(credit time.Duration, rate int64) *pace {
	return &pace{credit: credit, rate: rate, left: credit}
}

// newPace is that of one direction of a client on the network.
func (s *Server) newPace() *pace { return newPace(s.cfg.IdleTimeout, s.cfg.MinRate) }

// end sets the time at which the exchange is over in any case.
func (p *pace) end(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until = at
}

// wait begins a wait for the client: it may last until the returned time. The
// returned function ends it, told how many bytes got through.
func (p *pace) wait() (until time.Time, done func(n int)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	start := time.Now()
	until = start.Add(max(p.left, 0))
	if !p.until.IsZero() && p.until.Before(until) {
		until = p.until
	}
	return until, func(n int) { p.paid(time.Since(start), n) }
}

func (p *pace) paid(waited time.Duration, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	earned := time.Duration(float64(n) / float64(p.rate) * float64(time.Second))
	p.left = min(p.left-waited+earned, p.credit)
}
