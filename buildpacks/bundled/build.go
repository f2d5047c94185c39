package bundled

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Config says what [Build] makes, and where.
type Config struct {
	Root     string    // folder of the module slipway; required
	Out      string    // where the builder goes; required
	Cache    string    // where parts are kept between runs; required
	Mirrors  Mirrors   // the machine's own apt sources where empty
	Fresh    bool      // make Debian and the CPythons anew, with today's packages
	Progress io.Writer // a line for each step; nothing is said if nil
}

// A build is one call of Build.
type build struct {
	Config
	mirrors Mirrors
	cache   *cache
	work    string // files of this run
	mu      sync.Mutex
}

// Build makes the bundled builder in c.Out, unless what lies there is made
// from the same inputs. What was there stays until the new one is whole.
func Build(ctx context.Context, c Config) (err error) {
	start := time.Now()
	b := &build{Config: c}
	for _, dir := range []*string{&b.Root, &b.Out, &b.Cache} {
		if *dir, err = filepath.Abs(*dir); err != nil {
			return fmt.Errorf("find directories: %w", err)
		}
	}
	b.cache, err = openCache(ctx, b.Cache, func() { b.say("Waiting for another run to finish") })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.cache.Close()) }()
	if err := sweep(filepath.Join(b.cache.dir, ".tmp-*")); err != nil {
		return err
	}
	if b.work, err = os.MkdirTemp(b.cache.dir, ".tmp-"); err != nil {
		return fmt.Errorf("make work directory: %w", err)
	}
	defer removeAll(b.work, &err)

	plan, err := b.plan()
	if err != nil {
		return err
	}
	packs := sync.OnceValues(func() (string, error) { return b.compileAll(ctx, filepath.Join(b.work, "buildpacks")) })
	if !b.Fresh {
		same, err := b.unchanged(plan, packs)
		if err != nil {
			return err
		}
		if same {
			b.say("%s is up to date", c.Out)
			return nil
		}
	}
	if err := b.ready(ctx); err != nil {
		return err
	}
	made, err := b.makeParts(ctx, plan, packs)
	if err != nil {
		return err
	}
	id, err := b.assemble(ctx, made)
	if err != nil {
		return err
	}
	b.say("Made %s, id %s, in %s", c.Out, id, time.Since(start).Round(100*time.Millisecond))
	return nil
}

// say tells the person who waits what is going on.
func (b *build) say(format string, args ...any) {
	if b.Progress == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintf(b.Progress, "-----> "+format+"\n", args...)
}

// A plan is the parts of a builder, and by their keys what they are made from.
type plan struct {
	debian    part[debianLayers]
	lifecycle part[struct{}]
	caddy     part[layer]
	pythons   []part[layer]
	inputs    []string
}

func (b *build) plan() (*plan, error) {
	var p plan
	var err error
	p.debian, err = newPart("debian", []any{suite, runPackages, buildPackages}, []string{"layer.go", "debian.go"}, b.debian)
	if err != nil {
		return nil, err
	}
	var sums []string
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(b.Root, "buildpacks/bundled/lifecycle", name))
		if err != nil {
			return nil, fmt.Errorf("read the lifecycle's module: %w", err)
		}
		sums = append(sums, string(data))
	}
	p.lifecycle, err = newPart("lifecycle", []any{sums, runtime.Version()}, []string{"lifecycle.go"}, b.lifecycle)
	if err != nil {
		return nil, err
	}
	server, err := b.readCaddy()
	if err != nil {
		return nil, err
	}
	p.caddy, err = newPart("caddy", []any{server, runtime.Version()}, []string{"layer.go", "caddy.go"}, b.caddy)
	if err != nil {
		return nil, err
	}
	p.inputs = []string{p.debian.key, p.lifecycle.key, p.caddy.key}
	for _, py := range pythons {
		one, err := newPart("python-"+py.Version, []any{py, pythons[0].Sum}, []string{"layer.go", "python.go", "adapt.go"},
			func(ctx context.Context, dir string) (layer, error) { return b.python(ctx, py, dir) })
		if err != nil {
			return nil, err
		}
		p.pythons = append(p.pythons, one)
		p.inputs = append(p.inputs, one.key)
	}
	own, err := hashCode()
	p.inputs = append(p.inputs, own)
	return &p, err
}

// unchanged says whether what lies in Out is made from the same inputs.
func (b *build) unchanged(p *plan, packs func() (string, error)) (bool, error) {
	was, err := os.ReadFile(filepath.Join(b.Out, inputsFile))
	if err != nil {
		return false, nil //nolint:nilerr // there is nothing of ours yet
	}
	for _, name := range []string{"index.json", idFile, versionsFile} {
		if _, err := os.Stat(filepath.Join(b.Out, name)); err != nil {
			return false, nil //nolint:nilerr // what lies there is not whole
		}
	}
	hash, err := packs()
	if err != nil {
		return false, err
	}
	return string(was) == p.text(hash), nil
}

// text is what the file "inputs" says.
func (p *plan) text(packs string) string { return strings.Join(append(p.inputs, packs), "\n") + "\n" }

// ready checks that the machine has what a build needs.
func (b *build) ready(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return ErrRoot
	}
	var lack []string
	for _, need := range []struct{ file, pkg string }{
		{"mmdebstrap", "mmdebstrap"},
		{"apt-get", "apt"},
		{"dpkg-deb", "dpkg"},
		{"mount", "mount"},
		{"setarch", "util-linux"},
		{"strip", "binutils"},
		{"cp", "coreutils"},
		{keyring, "debian-archive-keyring"},
		{"/usr/lib/apt/apt-helper", "apt"},
	} {
		var err error
		if filepath.IsAbs(need.file) {
			_, err = os.Stat(need.file)
		} else {
			_, err = exec.LookPath(need.file)
		}
		if err != nil {
			lack = append(lack, need.pkg)
		}
	}
	if len(lack) > 0 {
		return &MissingError{Packages: lack}
	}
	var err error
	b.mirrors, err = b.Mirrors.fill(ctx)
	return err
}

// parts are the finished parts of a builder.
type parts struct {
	debian       debianLayers
	debianDir    string
	lifecycleDir string
	caddy        layer
	caddyDir     string
	pythons      []layer
	pythonDirs   []string
	inputs       string
}

// makeParts makes what the cache lacks, several at once.
func (b *build) makeParts(ctx context.Context, p *plan, packs func() (string, error)) (*parts, error) {
	made := &parts{pythons: make([]layer, len(p.pythons)), pythonDirs: make([]string, len(p.pythons))}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	g.Go(func() (err error) {
		made.debian, made.debianDir, err = p.debian.get(ctx, b.cache, b.Fresh)
		return err
	})
	g.Go(func() (err error) {
		_, made.lifecycleDir, err = p.lifecycle.get(ctx, b.cache, false)
		return err
	})
	g.Go(func() (err error) {
		made.caddy, made.caddyDir, err = p.caddy.get(ctx, b.cache, false)
		return err
	})
	g.Go(func() error {
		hash, err := packs()
		made.inputs = p.text(hash)
		return err
	})
	for i, py := range p.pythons {
		g.Go(func() (err error) {
			made.pythons[i], made.pythonDirs[i], err = py.get(ctx, b.cache, b.Fresh)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return made, nil
}

// Versions says which languages the builder has, as in versions.json, in the
// builder image and beside its layout.
type Versions struct {
	Python  []string          `json:"versions"` // full versions, newest first
	Pip     string            `json:"pip"`
	Digests map[string]string `json:"digests"` // of each version's files
}

func (p *parts) versions() Versions {
	v := Versions{Pip: pipVersion, Digests: map[string]string{}}
	for i, py := range pythons {
		v.Python = append(v.Python, py.Version)
		v.Digests[py.Version] = p.pythons[i].DiffID
	}
	return v
}

// ReadVersions reads the versions.json of the bundled builder in dir.
func ReadVersions(dir string) (Versions, error) {
	var v Versions
	data, err := os.ReadFile(filepath.Join(dir, versionsFile))
	if err != nil {
		return v, fmt.Errorf("read versions: %w", err)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return v, fmt.Errorf("read versions: %w", err)
	}
	if len(v.Python) == 0 {
		return v, errors.New("read versions: there are none")
	}
	return v, nil
}
