package build

import (
	"context"
	"net"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"go.uber.org/zap"
)

// Bundled is the name of our own builder in [Config] and [Request].
const Bundled = "bundled"

// Config configures a [Builder].
type Config struct {
	// Engine runs the containers; required. It outlives the Builder.
	Engine Engine
	// Registry is our registry's HOST:PORT, a loopback address as a rule. It
	// goes by this name on the host and inside builds; required.
	Registry string
	// DialRegistry connects to it, for builds and for the Builder itself;
	// plain TCP to Registry if nil.
	DialRegistry func(ctx context.Context) (net.Conn, error)

	// Builder is used where a request names none: [Bundled] or an image
	// reference. Bundled if empty.
	Builder string
	// Bundled is the directory of the bundled builder, an OCI layout.
	Bundled string
	// RunImage is the bundled builder's run image in Registry.
	RunImage string
	// Trusted lists builders that may run all phases in one container, with
	// the build's registry token in it. The bundled builder is trusted.
	Trusted []string
	// Allowed lists what a request, and a project.toml that comes with a
	// push, may name: builder references and, the latter, buildpack URIs.
	// Builder and trusted builders are allowed.
	Allowed []string
	// LifecycleImage runs the phases that hold the token when a builder is
	// not trusted. If empty, the bundled builder's lifecycle does, or where
	// there is none, buildpacksio/lifecycle at the version of the builder.
	LifecycleImage string
	// Keychain signs in to other registries, for builders and run images;
	// anonymous if nil.
	Keychain authn.Keychain

	// Env is the operator's build environment; an app's own wins.
	Env map[string]string
	// Reach opens HOST:PORT addresses in every build's network.
	Reach []string

	CPUs    float64       // of each build container; no limit if zero
	Memory  int64         // bytes, of each build container, no swap on top; no limit if zero
	Pids    int64         // of each build container; 4096 if zero
	Timeout time.Duration // of one build; 20m if zero

	// Disk is the bytes that a build's containers and volumes may take, the
	// app's cache included, and DiskFiles the files and folders; 10 GiB and
	// 1,000,000 if zero. A build that takes more is stopped within a second
	// or two, if the Engine is a [DiskMeter].
	Disk, DiskFiles int64

	SourceBytes int64 // the most that a source tree may hold; 1 GiB if zero
	SourceFiles int   // the most files and folders in it; 100,000 if zero

	// Dir holds the work of running builds; required. Its contents are
	// removed by New. Cache volumes carry a hash of its path, see Instance.
	Dir string
	// Log gets one line a build; nothing is logged if nil.
	Log *zap.Logger
}

func (c Config) withDefaults() Config {
	if c.Builder == "" {
		c.Builder = Bundled
	}
	if c.Keychain == nil {
		c.Keychain = anonymous{}
	}
	if c.Pids == 0 {
		c.Pids = 4096
	}
	if c.Timeout == 0 {
		c.Timeout = 20 * time.Minute
	}
	if c.Disk == 0 {
		c.Disk = 10 << 30
	}
	if c.DiskFiles == 0 {
		c.DiskFiles = 1_000_000
	}
	if c.SourceBytes == 0 {
		c.SourceBytes = 1 << 30
	}
	if c.SourceFiles == 0 {
		c.SourceFiles = 100_000
	}
	if c.DialRegistry == nil {
		addr := c.Registry
		c.DialRegistry = func(ctx context.Context) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", addr)
		}
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	return c
}
