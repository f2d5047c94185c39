package detector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/buildpacks/lifecycle/buildpack"
	"github.com/buildpacks/lifecycle/platform/files"

	"slipway/buildpacks/sandbox"
)

// Bundled is the name of the builder that Slipway has of its own.
const Bundled = "bundled"

// A Source says what to detect with. The zero value is the bundled builder.
type Source struct {
	// Builder is "bundled", an image reference, the directory of an OCI layout,
	// an archive of an image, or a builder.toml. It is "bundled" where it is
	// empty and no Buildpacks are given.
	Builder string
	// Buildpacks are directories, archives, image references, or IDs of the
	// builder's. They make one group, in their order, in place of the builder's;
	// "from=builder" puts the builder's order in that place.
	Buildpacks []string
	// Target is "os/arch" or "os/arch/variant"; linux and this machine's
	// architecture if empty. It chooses among images and is what buildpacks see.
	Target string
	// Cache keeps what was fetched and unpacked between runs; required for images.
	Cache string
	// Python lists the Pythons of the bundled builder; those of this version of
	// Slipway if nil.
	Python []string
	// Progress is told of long work; may be nil.
	Progress io.Writer
}

// Options of one detection. The zero value is usable.
type Options struct {
	// Env is what the app's build environment would be: files in the platform
	// directory.
	Env map[string]string
	// All goes on after the first group that passes, to tell what also matches.
	All bool
	// NoSandbox runs detect scripts as they are.
	NoSandbox bool
	// NeedSandbox runs no detect script where this machine allows no sandbox: for
	// those that nobody here vouches for.
	NeedSandbox bool

	Timeout time.Duration // of one bin/detect; 10s if zero
	Memory  int64         // bytes of one bin/detect with all it starts; 512 MiB if zero
	Pids    int           // processes of one bin/detect; 256 if zero
	Output  int           // bytes of output kept; 64 KiB if zero
	Jobs    int           // bin/detects at once; the number of CPUs if zero
}

func (o Options) withDefaults() Options {
	set := func(value *int, otherwise int) {
		if *value <= 0 {
			*value = otherwise
		}
	}
	set(&o.Pids, 256)
	set(&o.Output, 64<<10)
	set(&o.Jobs, runtime.NumCPU())
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Memory <= 0 {
		o.Memory = 512 << 20
	}
	return o
}

// A Builder is buildpacks and the order in which they are tried.
type Builder struct {
	name    string
	store   *store
	order   buildpack.Order // with what is below, as the lifecycle wants it
	groups  buildpack.Order // for buildpacks, as they were written
	exts    buildpack.Order // for extensions
	target  files.TargetMetadata
	ours    bool     // the bundled builder is part of it
	python  []string // of the bundled builder
	root    string   // file system of the image; "" for this machine's
	environ []string // of the image
	uid     int      // of the image's user
	gid     int
	notes   []string // what is not as in the builder
	temp    []string // to be removed

	mu    sync.Mutex
	pools [2]*sandbox.Pool // sandboxed and plain; nil until one is needed
}

// Close removes what was unpacked and is not kept. No detection may be running.
func (b *Builder) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for i, p := range b.pools {
		if p != nil {
			errs = append(errs, p.Close())
			b.pools[i] = nil
		}
	}
	for _, dir := range b.temp {
		errs = append(errs, removeAll(dir))
	}
	b.temp = nil
	return errors.Join(errs...)
}

// Detect runs detection over the directory dir. The report says what was
// decided, also where nothing was detected or a buildpack erred; the error is
// about ctx only, or about dir.
func (b *Builder) Detect(ctx context.Context, dir string, o Options) (*Report, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("look at the app: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("look at the app: %q is no directory: name the directory that the app is in", dir)
	}
	return b.detect(ctx, dir, os.DirFS(dir), o)
}

// InProcess tells whether all its buildpacks answer in this process, so that
// DetectFS can be used.
func (b *Builder) InProcess() bool {
	for _, m := range b.store.modules {
		if m.detect == nil && m.problem == nil && len(m.metaOrder()) == 0 {
			return false
		}
	}
	return true
}

// DetectFS is Detect over a tree that lies on no disk; only where InProcess.
func (b *Builder) DetectFS(ctx context.Context, fsys fs.FS, o Options) (*Report, error) {
	if !b.InProcess() {
		return nil, errors.New("detect: a bin/detect needs a directory on disk")
	}
	return b.detect(ctx, "", fsys, o)
}

// pool gives what runs the bin/detects of the builder.
func (b *Builder) pool(plain bool) (*sandbox.Pool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := 0
	if plain {
		i = 1
	}
	if b.pools[i] == nil {
		p, err := sandbox.Open(sandbox.Config{Root: b.root, UID: b.uid, GID: b.gid, Plain: plain})
		if err != nil {
			return nil, err
		}
		b.pools[i] = p
	}
	return b.pools[i], nil
}
