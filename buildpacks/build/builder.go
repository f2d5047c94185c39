package build

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/moby/client"

	"slipway/internal/namelock"
)

// A Builder makes images of source trees. Its methods may be called at once.
type Builder struct {
	cfg       Config
	instance  string
	registry  netip.AddrPort
	transport *http.Transport
	version   client.ServerVersionResult // of the engine
	bundle    *bundle                    // nil where Config.Bundled is ""
	loading   chan struct{}              // held while the bundled builder is looked for and loaded
	loads     atomic.Bool                // it is being loaded
	apps      namelock.Locks             // builds of one app share its cache, and lifecycles that write to one at once lose layers

	mu          sync.Mutex
	ourRunImage v1.Image
}

// New returns a Builder, and removes what builds of a killed server left in
// cfg.Dir. The caller closes it.
func New(ctx context.Context, cfg Config) (*Builder, error) {
	cfg = cfg.withDefaults()
	switch {
	case cfg.Engine == nil:
		return nil, errors.New("build: no engine configured")
	case cfg.Registry == "":
		return nil, errors.New("build: no registry configured")
	case cfg.Dir == "":
		return nil, errors.New("build: no directory configured")
	}
	for key := range cfg.Env {
		if !validEnv(key) {
			return nil, fmt.Errorf("build environment: %q cannot name a variable", key)
		}
	}
	b := &Builder{cfg: cfg, instance: Instance(cfg.Dir), loading: make(chan struct{}, 1)}
	var err error
	if b.registry, err = resolveOne(ctx, cfg.Registry); err != nil {
		return nil, fmt.Errorf("registry address: %w", err)
	}
	if b.version, err = cfg.Engine.ServerVersion(ctx, client.ServerVersionOptions{}); err != nil {
		return nil, fmt.Errorf("ask engine for its version: %w", err)
	}
	if cfg.Bundled != "" {
		if b.bundle, err = openBundle(cfg.Bundled); err != nil {
			return nil, err
		}
	} else if cfg.Builder == Bundled {
		return nil, fmt.Errorf("%w: its directory is not configured", ErrNoBundled)
	}
	if err := sweepBuilds(ctx, cfg.Engine, b.workDir()); err != nil {
		return nil, err
	}
	b.transport = newTransport(cfg.Registry, cfg.DialRegistry)
	return b, nil
}

// Close releases idle connections. No build may be running.
func (b *Builder) Close() error {
	b.transport.CloseIdleConnections()
	return nil
}

func (b *Builder) workDir() string { return filepath.Join(b.cfg.Dir, "builds") }

// PythonVersions returns the full Python versions that the bundled builder
// has, in its order; nil if there is no bundled builder.
func (b *Builder) PythonVersions() []string {
	if b.bundle == nil {
		return nil
	}
	return slices.Clone(b.bundle.pythons)
}

// ForgetCache removes the build cache of an app. No build of it may be running.
func (b *Builder) ForgetCache(ctx context.Context, app string) error {
	return removeVolume(ctx, b.cfg.Engine, CacheVolume(b.instance, app))
}

// bundledRef is what engines call the bundled builder; "" if there is none.
func (b *Builder) bundledRef() string {
	if b.bundle == nil {
		return ""
	}
	return b.bundle.ref
}

// mayUse returns what engines call a builder that was asked for, and refuses
// one that the operator has not named.
func (b *Builder) mayUse(ref, asks string) (string, error) {
	switch {
	case ref == Bundled && b.bundle == nil:
		return "", ErrNoBundled
	case ref == Bundled:
		return b.bundle.ref, nil
	case ref == b.cfg.Builder, slices.Contains(b.cfg.Trusted, ref), slices.Contains(b.cfg.Allowed, ref):
		return ref, nil
	}
	return "", refuse(ErrRefused, "%s the builder %q, which this server does not allow.\nLeave it out, or ask for the builder to be allowed.", asks, ref)
}

// trusts tells whether all phases may run in one container of this builder.
func (b *Builder) trusts(ref string) bool {
	return ref == b.bundledRef() || slices.Contains(b.cfg.Trusted, ref)
}
