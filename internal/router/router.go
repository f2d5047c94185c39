package router

import (
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"
)

// A Router answers the requests that are for apps, out of their dynos. It may
// be used by many goroutines.
type Router struct {
	cfg    Config
	suffix string // ".DOMAIN", or ""
	log    *zap.Logger
	pool   *pool

	mu      sync.Mutex
	tunnels map[*tunnel]struct{}
	closed  bool
	open    sync.WaitGroup // tunnels
}

// New makes a router.
func New(cfg Config) *Router {
	cfg = cfg.withDefaults()
	rt := &Router{
		cfg:     cfg,
		log:     cfg.Logger.Named("router"),
		pool:    newPool(cfg.MaxIdle, cfg.KeepAlive),
		tunnels: map[*tunnel]struct{}{},
	}
	if name, ok := hostname(cfg.Domain); ok {
		rt.suffix = "." + name
	}
	return rt
}

// Forget closes the connections that are kept for an upstream that is gone.
// Requests that are under way go on.
func (rt *Router) Forget(key string) { rt.pool.forget(key) }

// Close ends what outlives its HTTP server's Shutdown: upgraded connections,
// for which it waits, and kept ones. Requests may still come; their connections
// are not kept.
func (rt *Router) Close() {
	rt.mu.Lock()
	rt.closed = true
	for t := range rt.tunnels {
		t.cut()
	}
	rt.mu.Unlock()
	rt.open.Wait()
	rt.pool.close()
}

// ServeHTTP answers one request.
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, ok := hostname(r.Host)
	app, found := "", false
	if ok {
		app, found = rt.cfg.Apps.Find(r.Context(), host)
	}
	if !found {
		failUnknown.write(w, r, failUnknown.page.render("", orString(host, "this address")))
		return
	}
	x := exchange{
		rt: rt, w: w, r: r, rc: http.NewResponseController(w),
		app: app, host: host, started: time.Now(),
		id: requestID(r.Header.Get("X-Request-Id")), fwd: forwardedFor(r),
	}
	x.serve(r.Context())
}
