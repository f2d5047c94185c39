package embedded

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/buildpacks/pack/pkg/client"
	"go.uber.org/zap"

	"slipway/internal/bundle"
	"slipway/internal/images"
	"slipway/internal/netns"
)

// closeTimeout bounds how long Close waits for containers to be gone.
const closeTimeout = 15 * time.Second

// Config configures an [Engine].
type Config struct {
	// Dir holds images, volumes and running containers; required. One
	// engine at a time may use it.
	Dir string
	// Runc is the OCI runtime's name or path; "runc" if empty.
	Runc string
	// Snapshotter is "overlayfs" or "native"; if empty, overlayfs where the
	// file system of Dir allows it, else native.
	Snapshotter string
	// Resolvers answer the DNS queries of builds; the host's if nil.
	Resolvers []netip.AddrPort
	// Log gets what happens; nothing if nil.
	Log *zap.Logger
}

// An Engine implements pack's DockerClient.
type Engine struct {
	dir      string
	instance string
	images   *images.Store
	volumes  *volumeStore
	runtime  *bundle.Runtime
	nets     *networkStore
	log      *zap.Logger
	kept     func() context.Context // for Close, which is given none
	closing  sync.Once
	closed   error // of closing

	mu         sync.Mutex
	containers map[string]*container
}

var _ client.DockerClient = (*Engine)(nil)

// Open starts an engine on cfg.Dir, and first removes the containers, mounts,
// networks and build volumes that a killed predecessor left.
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	if os.Geteuid() != 0 {
		return nil, ErrNotRoot
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("resolve directory: %w", err)
	}
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, fmt.Errorf("make engine directory: %w", err)
	}
	e := &Engine{
		dir:        dir,
		instance:   instance(dir),
		log:        cfg.Log,
		containers: make(map[string]*container),
	}
	kept := context.WithoutCancel(ctx)
	e.kept = func() context.Context { return kept }
	if err := e.open(ctx, cfg); err != nil {
		return nil, errors.Join(err, e.close(ctx))
	}
	return e, nil
}

func (e *Engine) open(ctx context.Context, cfg Config) (err error) {
	e.runtime, err = bundle.Open(ctx, bundle.Config{
		Dir:    filepath.Join(e.dir, "containers"),
		Cgroup: "/slipway-" + e.instance,
		Runc:   cfg.Runc,
		Log:    cfg.Log,
	})
	if err != nil {
		return explain(err)
	}
	e.nets, err = openNetworks(ctx, netns.Config{
		Instance:  e.instance,
		Resolvers: cfg.Resolvers,
		Log:       cfg.Log,
	})
	if err != nil {
		return err
	}
	e.volumes, err = openVolumes(filepath.Join(e.dir, "volumes"), e.runtime.Trash)
	if err != nil {
		return err
	}
	e.images, err = images.Open(ctx, images.Config{
		Dir:         filepath.Join(e.dir, "images"),
		Snapshotter: cfg.Snapshotter,
		Log:         cfg.Log,
	})
	return err
}

// Close kills every container, removes the networks and releases the
// directory. Images and volumes stay. Closing twice is no error.
func (e *Engine) Close() error {
	e.closing.Do(func() { e.closed = e.close(e.kept()) })
	return e.closed
}

func (e *Engine) close(ctx context.Context) error {
	// Cleaning up is not given up because the caller is in a hurry.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	var errs []error
	e.mu.Lock()
	left := make([]*container, 0, len(e.containers))
	for _, c := range e.containers {
		left = append(left, c)
	}
	e.mu.Unlock()
	for _, c := range left {
		errs = append(errs, e.remove(ctx, c))
	}
	if e.nets != nil {
		errs = append(errs, e.nets.close())
	}
	if e.images != nil {
		errs = append(errs, e.images.Close())
	}
	// Last, since it holds the lock on the directory.
	if e.runtime != nil {
		errs = append(errs, e.runtime.Close(ctx))
	}
	return errors.Join(errs...)
}

// Name is "embedded".
func (e *Engine) Name() string { return "embedded" }

// instance is a short name of the directory, so that several engines on one
// machine do not mistake each other's devices and cgroups for their own.
func instance(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return hex.EncodeToString(sum[:3])
}
