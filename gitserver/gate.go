package gitserver

import (
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// A gate lets so many in at once, and so many from one address.
type gate struct {
	total, each int

	mu     sync.Mutex
	inside int
	from   map[netip.Prefix]int
}

func newGate(total, each int) *gate {
	return &gate{total: total, each: each, from: make(map[netip.Prefix]int)}
}

const busyWait = 10 * time.Second // what somebody is told for whom there is no room

var (
	errFull = &waitError{
		status: http.StatusServiceUnavailable, wait: busyWait,
		text: "the server has its hands full; try again in a moment",
	}
	errAddressFull = &waitError{
		status: http.StatusTooManyRequests, wait: busyWait,
		text: "too many connections from your address; wait for one of them to end, and try again",
	}
)

// enter returns nil and an error if there is no room. Otherwise the returned
// function must be called once, by who goes out.
func (g *gate) enter(remote string) (leave func(), err error) {
	from := addressOf(remote)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside >= g.total {
		return nil, errFull
	}
	if from.IsValid() && g.from[from] >= g.each {
		return nil, errAddressFull
	}
	g.inside++
	g.from[from]++
	return func() { g.leave(from) }, nil
}

func (g *gate) leave(from netip.Prefix) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.from[from]--; g.from[from] == 0 {
		delete(g.from, from)
	}
}

// addressOf is whom a remote HOST:PORT belongs to: an address of IPv4, or the
// smallest network of IPv6 that anybody is given. It is invalid for what has
// no address, such as a socket in the file system.
func addressOf(remote string) netip.Prefix {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	addr, bits := at.Addr().Unmap().WithZone(""), 64
	if addr.Is4() {
		bits = 32
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
