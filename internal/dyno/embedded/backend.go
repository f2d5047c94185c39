package embedded

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"

	"slipway/internal/bundle"
	"slipway/internal/dyno"
	"slipway/internal/dyno/launch"
	"slipway/internal/images"
	"slipway/internal/netns"
)

const (
	// closeTimeout bounds how long Close waits for dynos to be gone.
	closeTimeout = 30 * time.Second
	// readyNetworks is the default of Config.ReadyNetworks.
	readyNetworks = 4
)

// Config configures a [Backend].
type Config struct {
	// Dir holds unpacked slugs and running dynos; required. One Backend at a
	// time may use it, and nothing else.
	Dir string
	// Registry is the HOST or HOST:PORT that slugs are named by; required. Those
	// of another are fetched anew. It is spoken to without TLS if it is
	// "localhost" or a loopback address.
	Registry string
	// DialRegistry connects to it; plain TCP to Registry if nil.
	DialRegistry func(ctx context.Context) (net.Conn, error)
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
	// ReadyNetworks is how many networks are kept ready for the next
	// dynos; 4 if zero.
	ReadyNetworks int
	// Runc and Init are the names or paths of programs; "runc" and
	// "tini-static" if empty. Init must need no other file.
	Runc, Init string
	// Log gets what happens; nothing if nil.
	Log *zap.Logger
}

// A Backend runs dynos. It implements [dyno.Backend].
type Backend struct {
	cfg     Config
	init    string // path of the init program
	runtime *bundle.Runtime
	nets    *netns.Pool
	images  *images.Store
	log     *zap.Logger
	kept    func() context.Context // for Close, which is given none
	closing sync.Once
	failed  error // of closing
	ledger  launch.Ledger
}

var _ dyno.Backend = (*Backend)(nil)

// Open starts a Backend on cfg.Dir, and first removes the containers, mounts
// and networks that a killed predecessor left.
func Open(ctx context.Context, cfg Config) (*Backend, error) {
	if os.Geteuid() != 0 {
		return nil, ErrNotRoot
	}
	cfg, err := cfg.check()
	if err != nil {
		return nil, err
	}
	program, err := exec.LookPath(cfg.Init)
	if err == nil {
		program, err = filepath.Abs(program)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoInit, err)
	}
	kept := context.WithoutCancel(ctx)
	b := &Backend{
		cfg:  cfg,
		init: program,
		log:  cfg.Log,
		kept: func() context.Context { return kept },
	}
	if err := b.open(ctx); err != nil {
		return nil, errors.Join(err, b.close(kept))
	}
	return b, nil
}

func (c Config) check() (Config, error) {
	if c.Dir == "" || c.Registry == "" {
		return c, errors.New("dynos need a directory and a registry")
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return c, fmt.Errorf("resolve directory: %w", err)
	}
	c.Dir = dir
	if c.DialRegistry == nil {
		addr := c.Registry
		c.DialRegistry = func(ctx context.Context) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", addr)
		}
	}
	if c.ReadyNetworks == 0 {
		c.ReadyNetworks = readyNetworks
	}
	if c.Init == "" {
		c.Init = "tini-static"
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	c.Log = c.Log.Named("dynos")
	return c, nil
}

func (b *Backend) open(ctx context.Context) (err error) {
	if err := os.MkdirAll(b.cfg.Dir, 0o711); err != nil {
		return fmt.Errorf("make directory of dynos: %w", err)
	}
	instance := instance(b.cfg.Dir)
	b.runtime, err = bundle.Open(ctx, bundle.Config{
		Dir:    filepath.Join(b.cfg.Dir, "containers"),
		Cgroup: "/slipway-" + instance,
		Runc:   b.cfg.Runc,
		Log:    b.log,
	})
	if err != nil {
		return explain(err)
	}
	b.nets, err = netns.OpenPool(ctx, netns.Config{
		Instance:  instance,
		Resolvers: b.cfg.Resolvers,
		Ready:     b.cfg.ReadyNetworks,
		Log:       b.log,
	})
	if err != nil {
		return err
	}
	b.images, err = images.Open(ctx, images.Config{Dir: filepath.Join(b.cfg.Dir, "images"), Log: b.log})
	return err
}

// instance is a short name of the directory, so that several servers on one
// machine do not mistake each other's devices and cgroups for their own. It is
// not that of an engine in the same directory.
func instance(dir string) string {
	sum := sha256.Sum256([]byte("dynos\x00" + dir))
	return hex.EncodeToString(sum[:3])
}

// Name is "embedded".
func (b *Backend) Name() string { return "embedded" }

// Close removes every dyno, and the networks. Unpacked slugs stay. Closing twice
// is no error.
func (b *Backend) Close() error {
	b.closing.Do(func() { b.failed = b.close(b.kept()) })
	return b.failed
}

func (b *Backend) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	errs := []error{b.ledger.Close(ctx)}
	if b.nets != nil {
		errs = append(errs, b.nets.Close())
	}
	if b.images != nil {
		errs = append(errs, b.images.Close())
	}
	// Last, since it holds the lock on the directory.
	if b.runtime != nil {
		errs = append(errs, b.runtime.Close(ctx))
	}
	return errors.Join(errs...)
}
