package python

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/buildpacks/libcnb"

	"slipway/buildpacks"
)

const defaultRoot = "/opt/slipway/python"

// root is where the builder keeps its CPythons: root/X.Y.Z, and
// root/versions.json, which lists them.
func root(b libcnb.Buildpack) string {
	if dir, ok := b.Metadata["root"].(string); ok && dir != "" {
		return dir
	}
	return defaultRoot
}

// runtimes are the CPythons of the builder.
type runtimes struct {
	root     string
	versions []string
	digests  map[string]string // of each version's tree
	id       string            // of the whole list, where a digest is missing
}

func readRuntimes(root string) (*runtimes, error) {
	data, err := os.ReadFile(filepath.Join(root, "versions.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return findRuntimes(root)
	}
	if err != nil {
		return nil, fmt.Errorf("list the builder's CPythons: %w", err)
	}
	var list struct {
		Versions []string          `json:"versions"`
		Digests  map[string]string `json:"digests"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("read versions.json of the builder: %w", err)
	}
	sum := sha256.Sum256(data)
	return &runtimes{root: root, versions: list.Versions, digests: list.Digests, id: hex.EncodeToString(sum[:])}, nil
}

// findRuntimes looks for CPythons where there is no list.
func findRuntimes(root string) (*runtimes, error) {
	found, err := filepath.Glob(filepath.Join(root, "3.*", "bin", "python3"))
	if err != nil || len(found) == 0 {
		return nil, fmt.Errorf("find CPython in %s of the builder: there is none", root)
	}
	rt := &runtimes{root: root, id: "unlisted"}
	for _, file := range found {
		rt.versions = append(rt.versions, filepath.Base(filepath.Dir(filepath.Dir(file))))
	}
	return rt, nil
}

func (rt *runtimes) options(store map[string]any) buildpacks.Options {
	cached, _ := store["python"].(string)
	return buildpacks.Options{Python: rt.versions, CachedPython: cached, Builder: "this builder"}
}

// A runtime is one CPython in the builder.
type runtime struct {
	version string
	home    string // in the builder
	id      string // changes whenever its files do
}

func (rt *runtimes) runtime(version string) runtime {
	id := rt.digests[version]
	if id == "" {
		id = rt.id
	}
	return runtime{version: version, home: filepath.Join(rt.root, version), id: id}
}

// series is "3.13" for 3.13.1.
func (r runtime) series() string { return r.version[:strings.LastIndexByte(r.version, '.')] }

func (r runtime) lib() string { return filepath.Join("lib", "python"+r.series()) }
