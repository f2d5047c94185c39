package gitserver

import (
	"crypto/sha256"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// maxAddresses bounds what is remembered about addresses, and about who has
// signed in from them.
const maxAddresses = 10_000

const sweepEvery = 10 * time.Second

// signIns limits failed sign-ins. An address has so many of them at once, and
// so many a minute from then on. While it has none left, nothing that was not
// seen before is looked up: a guess is not answered, and neither is a right
// token that is new. A token or key that has signed in from that address still
// does, so that one client gone wrong does not shut out its neighbours behind
// the same address.
type signIns struct {
	limit float64

	mu      sync.Mutex
	swept   time.Time // when those that had recovered were forgotten
	buckets map[netip.Prefix]bucket
	known   map[[sha256.Size]byte]struct{} // address and credential
}

// A bucket is what an address has left.
type bucket struct {
	left float64
	at   time.Time // when that was so
}

// anyKey stands for whatever has signed in over SSH.
const anyKey = "ssh"

func newSignIns(limit int) *signIns {
	return &signIns{
		limit: float64(limit), buckets: make(map[netip.Prefix]bucket),
		known: make(map[[sha256.Size]byte]struct{}),
	}
}

// wait is how long somebody has to wait until they may sign in; 0 for not at all.
func (s *signIns) wait(remote, credential string) time.Duration {
	from := addressOf(remote)
	s.mu.Lock()
	defer s.mu.Unlock()
	left := s.left(from, time.Now())
	if left >= 1 || !from.IsValid() {
		return 0
	}
	if _, ok := s.known[mark(from, credential)]; ok {
		return 0
	}
	return time.Duration((1 - left) / s.limit * float64(time.Minute))
}

// failed counts a sign-in that failed.
func (s *signIns) failed(remote string) {
	from, now := addressOf(remote), time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	left := s.left(from, now)
	if len(s.buckets) >= maxAddresses {
		s.forget(now)
	}
	s.buckets[from] = bucket{left: max(left-1, -s.limit), at: now} // many at once are paid for later
}

// succeeded remembers who has signed in.
func (s *signIns) succeeded(remote string, credentials ...string) {
	from := addressOf(remote)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range credentials {
		if len(s.known) >= maxAddresses {
			for old := range s.known { // any
				delete(s.known, old)
				break
			}
		}
		s.known[mark(from, c)] = struct{}{}
	}
}

// left is what an address has left. The mutex is held.
func (s *signIns) left(from netip.Prefix, now time.Time) float64 {
	b, ok := s.buckets[from]
	if !ok {
		return s.limit
	}
	return min(b.left+now.Sub(b.at).Minutes()*s.limit, s.limit)
}

// forget makes room: those that have recovered go, or else any one. Looking for
// them is too much work for each failure. The mutex is held.
func (s *signIns) forget(now time.Time) {
	if now.Sub(s.swept) >= sweepEvery {
		s.swept = now
		for from := range s.buckets {
			if s.left(from, now) >= s.limit {
				delete(s.buckets, from)
			}
		}
	}
	for from := range s.buckets {
		if len(s.buckets) < maxAddresses {
			return
		}
		delete(s.buckets, from)
	}
}

func mark(from netip.Prefix, credential string) [sha256.Size]byte {
	return sha256.Sum256([]byte(from.String() + "\x00" + credential))
}

// A waitError says that somebody has to wait.
type waitError struct {
	status int // over HTTP
	text   string
	wait   time.Duration
}

func (e *waitError) Error() string { return e.text }

// seconds is the wait as a header has it.
func (e *waitError) seconds() int { return max(1, int(math.Ceil(e.wait.Seconds()))) }

func tooManyFailures(wait time.Duration) *waitError {
	e := &waitError{status: http.StatusTooManyRequests, wait: wait}
	e.text = fmt.Sprintf("too many failed sign-ins from your address; check your token or key, and try again in %d seconds", e.seconds())
	return e
}
