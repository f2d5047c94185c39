package bundled

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"

	"slipway/buildpacks/bundled/cnb"
)

// A Buildpack is a buildpack of ours: a folder below this package with a
// buildpack.toml and a main package that is both bin/detect and bin/build.
type Buildpack struct {
	ID         string
	Dir        string // below buildpacks/bundled
	Main       string // main package, below Dir
	Descriptor string // the text of its buildpack.toml
	Detect     cnb.Detect
}

// A Group is an entry of the builder's order.
type Group []Member

// A Member is a buildpack of a group.
type Member struct {
	ID       string
	Optional bool
}

// compile makes the buildpack s in dir, as pack reads one: buildpack.toml,
// bin/build and bin/detect.
func (b *build) compile(ctx context.Context, s Buildpack, dir string) error {
	bin := filepath.Join(dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return fmt.Errorf("make buildpack %s: %w", s.ID, err)
	}
	from := filepath.Join(b.Root, "buildpacks/bundled", s.Dir)
	descriptor, err := os.ReadFile(filepath.Join(from, "buildpack.toml"))
	if err != nil {
		return fmt.Errorf("make buildpack %s: %w", s.ID, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "buildpack.toml"), descriptor, 0o644); err != nil {
		return fmt.Errorf("make buildpack %s: %w", s.ID, err)
	}
	t := tool{dir: b.Root, env: goEnv()}
	err = t.run(ctx, "go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=",
		"-o", filepath.Join(bin, "build"), "./"+filepath.Join("buildpacks/bundled", s.Dir, s.Main))
	if err != nil {
		return fmt.Errorf("compile buildpack %s: %w", s.ID, err)
	}
	if err := os.Symlink("build", filepath.Join(bin, "detect")); err != nil {
		return fmt.Errorf("make buildpack %s: %w", s.ID, err)
	}
	return nil
}

// compileAll makes every buildpack below dir, in a folder named after its own,
// and gives a hash of them all.
func (b *build) compileAll(ctx context.Context, dir string) (string, error) {
	for _, s := range Buildpacks {
		if err := b.compile(ctx, s, filepath.Join(dir, s.Dir)); err != nil {
			return "", err
		}
	}
	return hashTree(dir)
}

// hashTree hashes the names and contents of the files below dir.
func hashTree(dir string) (string, error) {
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("hash %s: %w", filepath.Base(dir), err)
	}
	sort.Strings(names)
	h := sha256.New()
	for _, name := range names {
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return "", err
		}
		h.Write(strconv.AppendQuote(nil, rel))
		f, err := os.Open(name)
		if err != nil {
			return "", fmt.Errorf("hash %s: %w", rel, err)
		}
		_, err = f.WriteTo(h)
		if err := errors.Join(err, f.Close()); err != nil {
			return "", fmt.Errorf("hash %s: %w", rel, err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
