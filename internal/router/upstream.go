package router

import (
	"context"
	"net"
)

// An Upstream is a web dyno that answers requests.
type Upstream struct {
	Name string // "web.1", for the log line
	// Key tells upstreams apart: connections are kept and used again for the
	// same Key only.
	Key string
	// Dial connects to the port that the dyno has bound.
	Dial func(ctx context.Context) (net.Conn, error)
}

// Apps is what the router asks about apps. All methods may be called
// concurrently, and are called once a request: they must be quick.
type Apps interface {
	// Find returns the app that a host name (lower case, no port) leads to.
	Find(ctx context.Context, host string) (app string, found bool)
	// Upstream chooses a web dyno for one request. While the app wakes or
	// starts it waits, as long as ctx lasts. The request calls done when it
	// has ended. The error is one of this package's: [ErrNoWeb], a
	// [*MaintenanceError], …
	Upstream(ctx context.Context, app string) (up Upstream, done func(), err error)
	// Failed tells that a connection to the dyno could not be made.
	Failed(app string, up Upstream)
}
