package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

const refName = "org.opencontainers.image.ref.name"

// A bundle is the bundled builder as `make builder` leaves it on disk.
type bundle struct {
	dir      string
	ref      string   // what engines call it
	pythons  []string // full versions
	runNames []string // the run images that its metadata names
	// buildpacks are the IDs of those that it has, sorted.
	buildpacks []string
	have       map[string]bool // them by "id" and "id@version"
	img        v1.Image
}

// openBundle reads the directory of the bundled builder.
func openBundle(dir string) (*bundle, error) {
	id, err := os.ReadFile(filepath.Join(dir, "id"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w in %q: run `make builder`", ErrNoBundled, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("read bundled builder: %w", err)
	}
	b := &bundle{dir: dir, ref: "slipway/builder:" + strings.TrimSpace(string(id))}
	if b.img, err = BundledImage(dir, "builder"); err != nil {
		return nil, fmt.Errorf("read bundled builder: %w", err)
	}
	if b.runNames, err = runNames(b.img); err != nil {
		return nil, fmt.Errorf("read bundled builder: %w", err)
	}
	if b.have, err = imageBuildpacks(b.img); err != nil {
		return nil, fmt.Errorf("read bundled builder: %w", err)
	}
	b.buildpacks = idsOf(b.have)
	data, err := os.ReadFile(filepath.Join(dir, "versions.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read bundled builder: %w", err)
	}
	var v struct {
		Versions []string `json:"versions"`
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, fmt.Errorf("read versions.json of bundled builder: %w", err)
	}
	b.pythons = v.Versions
	return b, nil
}

// BundledImage finds an image in the directory of a bundled builder by its name,
// "builder" or "run" (OCI image specification, "Image Layout":
// org.opencontainers.image.ref.name).
func BundledImage(dir, want string) (v1.Image, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	for _, m := range manifest.Manifests {
		if m.Annotations[refName] == want {
			return index.Image(m.Digest)
		}
	}
	return nil, fmt.Errorf("no image named %q in %q", want, dir)
}

// runNames returns the names by which a builder knows its run images.
func runNames(img v1.Image) ([]string, error) {
	cfg, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	type runImage struct {
		Image string `json:"image"`
	}
	var meta struct {
		Stack struct {
			RunImage runImage `json:"runImage"`
		} `json:"stack"`
		Images []runImage `json:"images"`
	}
	if err := json.Unmarshal([]byte(cfg.Config.Labels["io.buildpacks.builder.metadata"]), &meta); err != nil {
		return nil, fmt.Errorf("read builder metadata: %w", err)
	}
	var names []string
	for _, r := range append(meta.Images, meta.Stack.RunImage) {
		if r.Image != "" {
			names = append(names, r.Image)
		}
	}
	return names, nil
}

// Prepare sees to it that the engine has the bundled builder, if that is the one
// configured, so that the first build need not wait for it. It takes a while the
// first time, and is quick after that.
func (b *Builder) Prepare(ctx context.Context) error {
	if b.cfg.Builder != Bundled {
		return nil
	}
	return b.ensureBundled(ctx, newTranscript(io.Discard, false))
}

// ensureBundled sees to it that the engine has the bundled builder. One caller
// loads it; others wait.
func (b *Builder) ensureBundled(ctx context.Context, t *transcript) error {
	select {
	case b.loading <- struct{}{}:
	default:
		if b.loads.Load() { // else the other caller is only looking
			t.note("-----> Waiting for the builder to be loaded (once on this server)")
		}
		select {
		case b.loading <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	defer func() { <-b.loading }()
	found, err := inEngine(ctx, b.cfg.Engine, b.bundle.ref)
	if found || err != nil {
		return err
	}
	b.loads.Store(true)
	defer b.loads.Store(false)
	t.note("-----> Loading the builder (once on this server)")
	started := time.Now()
	if err := loadImage(ctx, b.cfg.Engine, b.bundle.ref, b.bundle.img); err != nil {
		return fmt.Errorf("load bundled builder: %w", err)
	}
	t.note(detail + "Loaded in " + time.Since(started).Round(100*time.Millisecond).String())
	return nil
}

// loadImage streams an image into the engine as a docker archive.
func loadImage(ctx context.Context, e Engine, ref string, img v1.Image) error {
	tag, err := name.NewTag(ref, name.WeakValidation)
	if err != nil {
		return fmt.Errorf("parse %q: %w", ref, err)
	}
	pr, pw := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := tarball.Write(tag, img, pw)
		pw.CloseWithError(err)
		written <- err
	}()
	err = readLoad(ctx, e, pr)
	pr.CloseWithError(errors.New("engine stopped reading"))
	if werr := <-written; err == nil {
		err = werr
	}
	return err
}

func readLoad(ctx context.Context, e Engine, archive io.Reader) error {
	res, err := e.ImageLoad(ctx, archive)
	if err != nil {
		return err
	}
	defer func() { _ = res.Close() }() // it was read to its end, or failed
	for dec := json.NewDecoder(res); ; {
		var m struct {
			Error string `json:"error"`
		}
		switch err := dec.Decode(&m); {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("read answer: %w", err)
		case m.Error != "":
			return errors.New(m.Error)
		}
	}
}
