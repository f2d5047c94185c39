package docker

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/moby/moby/client"
	"github.com/moby/moby/client/pkg/versions"
	"go.uber.org/zap"

	"slipway/buildpacks/build"
)

// DefaultHost is where a daemon listens unless told otherwise.
const DefaultHost = "unix:///var/run/docker.sock"

const (
	oldestAPI = "1.41" // Docker 20.10
	answerIn  = 5 * time.Second
)

// Config configures an [Engine].
type Config struct {
	// Host is the daemon's address, as in DOCKER_HOST; DefaultHost if "".
	Host string
	// Dir is the server's data directory, the same as build.Config's. What
	// the Engine makes is labelled with a hash of it; required.
	Dir string
	// Hostname is that of containers; "build" if "".
	Hostname string
	// Resolvers answer the DNS queries of builds; the host's if nil.
	Resolvers []netip.AddrPort
	// Log gets what happens; nothing if nil.
	Log *zap.Logger
}

// An Engine is a [build.Engine] on a Docker daemon.
type Engine struct {
	*client.Client
	cfg      Config
	instance string
	root     string // the daemon's directory, on this machine
	log      *zap.Logger
	kept     func() context.Context // for removals by a Close, which is given none

	holderImage chan struct{} // held while the holder's image is loaded

	mu     sync.Mutex
	closed bool
	idle   []*holder // ready for the next builds
}

var (
	_ build.Engine    = (*Engine)(nil)
	_ build.DiskMeter = (*Engine)(nil)
)

// Open connects to a daemon, and removes what builds of a killed server left
// there. The caller closes the Engine.
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	if cfg.Dir == "" {
		return nil, errors.New("docker engine: no directory configured")
	}
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("docker engine: %w: run the server as root", ErrNotRoot)
	}
	if cfg.Hostname == "" {
		cfg.Hostname = "build"
	}
	c, err := connect(ctx, cfg.Host)
	if err != nil {
		return nil, err
	}
	e := &Engine{Client: c, cfg: cfg, instance: build.Instance(cfg.Dir), log: cfg.Log, holderImage: make(chan struct{}, 1)}
	kept := context.WithoutCancel(ctx)
	e.kept = func() context.Context { return kept }
	if e.log == nil {
		e.log = zap.NewNop()
	}
	e.log = e.log.Named("docker")
	if err := e.recover(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	info, err := c.Info(ctx, client.InfoOptions{})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("ask for the daemon's directory: %w", err), c.Close())
	}
	e.root = info.Info.DockerRootDir
	return e, nil
}

func connect(ctx context.Context, host string) (*client.Client, error) {
	if host == "" {
		host = DefaultHost
	}
	c, err := client.New(client.WithHost(host))
	if err != nil {
		return nil, fmt.Errorf("docker host %q: %w", host, err)
	}
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	ping, err := c.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w at %s: %w", ErrUnavailable, host, err), c.Close())
	}
	if versions.LessThan(ping.APIVersion, oldestAPI) {
		return nil, errors.Join(fmt.Errorf("%w: it speaks API %s, %s is needed", ErrTooOld, ping.APIVersion, oldestAPI), c.Close())
	}
	return c, nil
}

// Name is "docker".
func (e *Engine) Name() string { return "docker" }

// Close removes what the Engine keeps ready and disconnects. No build may be
// running.
func (e *Engine) Close() error {
	e.mu.Lock()
	e.closed = true
	idle := e.idle
	e.idle = nil
	e.mu.Unlock()
	var errs []error
	for _, h := range idle {
		errs = append(errs, h.remove(e.kept()))
	}
	return errors.Join(append(errs, e.Client.Close())...)
}
