package golang

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"

	"github.com/buildpacks/libcnb"

	"slipway/buildpacks/bundled/cnb"
)

const (
	toolchainLayerName = "go"
	modulesLayerName   = "modules"
	compiledLayerName  = "compiled"
	programsLayerName  = "programs"

	// layout changes when layers of older buildpacks cannot be used any more.
	layout = "1"

	// The caches only grow, so they begin anew after so many builds.
	maxModulesUses  = 100
	maxCompiledUses = 200
)

// A toolchainLayer is the Go of the build: in the cache, never in the image.
type toolchainLayer struct {
	version version
	dir     string
	reuse   bool
}

var _ libcnb.LayerContributor = (*toolchainLayer)(nil)

func (b *build) toolchainLayer() (*toolchainLayer, error) {
	layer, err := b.layers.Layer(toolchainLayerName)
	if err != nil {
		return nil, err
	}
	l := &toolchainLayer{version: b.choice.version, dir: layer.Path}
	l.reuse = cnb.Same(layer.Metadata, l.metadata()) && cnb.Exists(filepath.Join(l.dir, "bin", "go"))
	return l, nil
}

// cachedGo is the Go of the last build, if it is still there.
func (b *build) cachedGo() (version, error) {
	layer, err := b.layers.Layer(toolchainLayerName)
	if err != nil {
		return version{}, err
	}
	text, _ := layer.Metadata["go"].(string)
	v, ok := parseVersion(text)
	if !ok || layer.Metadata["layout"] != layout || !cnb.Exists(filepath.Join(layer.Path, "bin", "go")) {
		return version{}, nil
	}
	return v, nil
}

func (l *toolchainLayer) metadata() map[string]any {
	return map[string]any{"go": l.version.text, "layout": layout}
}

// Name is the name of the layer.
func (l *toolchainLayer) Name() string { return toolchainLayerName }

// Contribute describes what is there already. Later buildpacks have its bin on
// their PATH.
func (l *toolchainLayer) Contribute(layer libcnb.Layer) (libcnb.Layer, error) {
	layer.LayerTypes = libcnb.LayerTypes{Build: true, Cache: true}
	layer.Metadata = l.metadata()
	return layer, nil
}

// A cacheLayer is a directory that the go command fills.
type cacheLayer struct {
	name, dir string
	meta      map[string]any
}

var _ libcnb.LayerContributor = (*cacheLayer)(nil)

// cacheLayer opens a cache, empty if it fits no more: another meta, or used too
// often.
func (b *build) cacheLayer(name string, maxUses int, meta map[string]any) (*cacheLayer, error) {
	layer, err := b.layers.Layer(name)
	if err != nil {
		return nil, err
	}
	l := &cacheLayer{name: name, dir: layer.Path, meta: map[string]any{"layout": layout}}
	maps.Copy(l.meta, meta)
	text, _ := layer.Metadata["uses"].(string) // the lifecycle makes numbers into fractions
	uses, _ := strconv.Atoi(text)
	delete(layer.Metadata, "uses")
	if len(layer.Metadata) > 0 && (uses >= maxUses || !cnb.Same(layer.Metadata, l.meta)) {
		b.out.Detail("Discarding the cache of %s", map[string]string{
			modulesLayerName: "modules", compiledLayerName: "compiled packages",
		}[name])
		uses = 0
		if err := os.RemoveAll(l.dir); err != nil {
			return nil, fmt.Errorf("discard the cache layer %s: %w", name, err)
		}
	}
	l.meta["uses"] = strconv.Itoa(uses + 1)
	if err := os.MkdirAll(l.dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the cache layer %s: %w", name, err)
	}
	return l, nil
}

// Name is the name of the layer.
func (l *cacheLayer) Name() string { return l.name }

// Contribute describes what is there already.
func (l *cacheLayer) Contribute(layer libcnb.Layer) (libcnb.Layer, error) {
	layer.LayerTypes = libcnb.LayerTypes{Cache: true}
	layer.Metadata = l.meta
	return layer, nil
}

// A programsLayer is what the image gets: the compiled programs, on its PATH.
type programsLayer struct{ dir string }

var _ libcnb.LayerContributor = (*programsLayer)(nil)

func (l *programsLayer) bin() string { return filepath.Join(l.dir, "bin") }

// names are the programs, in order.
func (l *programsLayer) names() ([]string, error) {
	entries, err := os.ReadDir(l.bin())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list the compiled programs: %w", err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

// Name is the name of the layer.
func (l *programsLayer) Name() string { return programsLayerName }

// Contribute describes what is there already.
func (l *programsLayer) Contribute(layer libcnb.Layer) (libcnb.Layer, error) {
	layer.LayerTypes = libcnb.LayerTypes{Launch: true}
	layer.Metadata = map[string]any{}
	return layer, nil
}
