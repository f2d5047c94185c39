package docker

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"

	"slipway/buildpacks/build"
	"slipway/buildpacks/docker"
	"slipway/internal/dyno"
	"slipway/internal/dyno/launch"
)

const (
	// closeTimeout bounds how long Close waits for dynos to be gone.
	closeTimeout = time.Minute
	// hostname is that of every dyno: it is its network's, and those are
	// made ahead.
	hostname = "dyno"
)

// Config configures a [Backend].
type Config struct {
	// Host is the daemon's address, as in DOCKER_HOST; docker.DefaultHost if
	// empty.
	Host string
	// Dir holds what the Backend remembers; required. One Backend at a time
	// may use it. What it makes is labelled with a hash of Dir, which must
	// not be that of an engine.
	Dir string
	// Registry is the HOST:PORT that slugs are named by, and that the daemon
	// finds our registry at; required.
	Registry string
	// Token makes a token for pulling from an app's repository, and revokes
	// it. No token is sent if it is nil.
	Token func(app string) (token string, revoke func())
	// Limits bound each dyno.
	Limits dyno.Limits
	// Reach are the HOST:PORTs on the host, or in private networks, that
	// dynos may connect to. Names are looked up whenever a dyno starts.
	Reach []string
	// Resolvers answer the DNS queries of dynos; the host's if nil.
	Resolvers []netip.AddrPort
	// Log gets what happens; nothing if nil.
	Log *zap.Logger
}

// A Backend runs dynos. It implements [dyno.Backend].
type Backend struct {
	cfg     Config
	engine  *docker.Engine
	log     *zap.Logger
	kept    func() context.Context // for Close, which is given none
	closing sync.Once
	failed  error // of closing
	ledger  launch.Ledger
}

var _ dyno.Backend = (*Backend)(nil)

// Open connects to the daemon, and first removes the containers that a killed
// predecessor left there.
func Open(ctx context.Context, cfg Config) (*Backend, error) {
	if cfg.Dir == "" || cfg.Registry == "" {
		return nil, errors.New("dynos need a directory and a registry")
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("resolve directory: %w", err)
	}
	cfg.Dir = dir
	if err := os.MkdirAll(filepath.Join(dir, pulledDir), 0o700); err != nil {
		return nil, fmt.Errorf("make directory of dynos: %w", err)
	}
	kept := context.WithoutCancel(ctx)
	b := &Backend{
		cfg:  cfg,
		log:  cfg.Log.Named("dynos"),
		kept: func() context.Context { return kept },
	}
	b.engine, err = docker.Open(ctx, docker.Config{
		Host: cfg.Host, Dir: dir, Hostname: hostname, Resolvers: cfg.Resolvers, Log: b.log,
	})
	if err != nil {
		return nil, fmt.Errorf("open docker for dynos: %w", err)
	}
	return b, nil
}

// Name is "docker".
func (b *Backend) Name() string { return "docker" }

// Close removes every dyno, and the networks. Slugs stay in the daemon. Closing
// twice is no error.
func (b *Backend) Close() error {
	b.closing.Do(func() { b.failed = b.close(b.kept()) })
	return b.failed
}

func (b *Backend) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	return errors.Join(b.ledger.Close(ctx), b.engine.Close()) //nolint:contextcheck // it keeps its own
}

// instance is the label of what the Backend makes.
func (b *Backend) instance() string { return build.Instance(b.cfg.Dir) }
