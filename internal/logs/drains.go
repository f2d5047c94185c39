package logs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"
)

// DrainsConfig configures [Drains]. Its zero value is usable.
type DrainsConfig struct {
	// Dial makes all connections, and may refuse some; a net.Dialer if nil.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// RootCAs sign the receivers' certificates; the system's if nil.
	RootCAs *x509.CertPool
	// AllowHTTP allows http:// too, which is for tests.
	AllowHTTP bool

	Retry    time.Duration // first pause after a failure, doubled each time; 1s if zero
	MaxRetry time.Duration // longest pause; 60s if zero
	Timeout  time.Duration // of one delivery; 30s if zero
	Grace    time.Duration // for what is left when Run ends; 3s if zero
	Log      *zap.Logger   // nothing is logged if nil
}

func (cfg DrainsConfig) withDefaults() DrainsConfig {
	set := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	set(&cfg.Retry, time.Second)
	set(&cfg.MaxRetry, time.Minute)
	set(&cfg.Timeout, 30*time.Second)
	set(&cfg.Grace, 3*time.Second)
	if cfg.Dial == nil {
		cfg.Dial = new(net.Dialer).DialContext
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	cfg.Log = cfg.Log.Named("drains")
	return cfg
}

// Drains send the lines of apps to where their owners want them. Each drain is
// a reader of the app's log: what a receiver does not take yet stays on disk
// and is replaced, when the log has grown by all that it may take, by a line
// that says how much is missing.
type Drains struct {
	store   *Store
	cfg     DrainsConfig
	client  *http.Client
	changed chan struct{}

	mu    sync.Mutex
	byApp map[string][]*drainer
	ended bool
}

// NewDrains returns drains that send nothing before Run.
func NewDrains(store *Store, cfg DrainsConfig) *Drains {
	cfg = cfg.withDefaults()
	return &Drains{
		store: store, cfg: cfg, changed: make(chan struct{}, 1), byApp: map[string][]*drainer{},
		client: &http.Client{
			Transport: &http.Transport{
				DialContext: cfg.Dial, TLSClientConfig: tlsConfig(cfg, ""), ForceAttemptHTTP2: true,
				IdleConnTimeout: time.Minute, MaxIdleConnsPerHost: 2, TLSHandshakeTimeout: 10 * time.Second,
				MaxResponseHeaderBytes: 64 << 10,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

func tlsConfig(cfg DrainsConfig, host string) *tls.Config {
	return &tls.Config{RootCAs: cfg.RootCAs, ServerName: host, MinVersion: tls.VersionTLS12}
}

// Set says which drains an app has from now on. Those it had and keeps go on
// where they are, the others get lines from now on. The error is about those
// that cannot be; the others are set.
func (d *Drains) Set(app string, drains []Drain) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return nil
	}
	old := d.byApp[app]
	var kept []*drainer
	var errs []error
	for _, want := range drains {
		if i := find(kept, want); i >= 0 {
			continue
		}
		if i := find(old, want); i >= 0 && !old[i].ended() {
			kept = append(kept, old[i])
			old = append(old[:i:i], old[i+1:]...)
			continue
		}
		r, err := d.newDrainer(app, want)
		if err != nil {
			errs = append(errs, fmt.Errorf("drain %s of %s: %w", want.ID, app, err))
			continue
		}
		kept = append(kept, r)
	}
	for _, r := range old {
		r.stop()
	}
	if d.byApp[app] = kept; len(kept) == 0 {
		delete(d.byApp, app)
	}
	poke(d.changed)
	return errors.Join(errs...)
}

func find(in []*drainer, want Drain) int {
	for i, r := range in {
		if r.Drain == want {
			return i
		}
	}
	return -1
}

// Run sends lines until ctx is done, and then what is left for as long as
// DrainsConfig.Grace. It must end before the store is closed.
func (d *Drains) Run(ctx context.Context) error {
	var work sync.WaitGroup
	for {
		d.start(ctx, &work)
		select {
		case <-d.changed:
			continue
		case <-ctx.Done():
		}
		break
	}
	d.mu.Lock()
	d.ended = true
	for _, all := range d.byApp {
		for _, r := range all {
			if r.cancel == nil {
				r.stop()
			}
		}
	}
	clear(d.byApp)
	d.mu.Unlock()
	work.Wait()
	d.client.CloseIdleConnections()
	return nil
}

// start runs the drains that do not run yet.
func (d *Drains) start(ctx context.Context, work *sync.WaitGroup) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, all := range d.byApp {
		for _, r := range all {
			if r.cancel != nil {
				continue
			}
			ctx, cancel := context.WithCancelCause(ctx)
			r.cancel = cancel
			work.Go(func() {
				defer cancel(nil)
				r.run(ctx)
			})
		}
	}
}
