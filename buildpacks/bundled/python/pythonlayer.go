package python

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/buildpacks/libcnb"

	"slipway/buildpacks/bundled/cnb"
)

const pythonLayerName = "python"

// A pythonLayer is the interpreter at launch.
type pythonLayer struct {
	runtime runtime
	dir     string
	reuse   bool // the previous image's layer is right as it is
}

var _ libcnb.LayerContributor = (*pythonLayer)(nil)

func (b *build) pythonLayer() (*pythonLayer, error) {
	layer, err := b.layers.Layer(pythonLayerName)
	if err != nil {
		return nil, err
	}
	l := &pythonLayer{runtime: b.runtime, dir: layer.Path}
	l.reuse = cnb.Same(layer.Metadata, l.metadata()) && !cnb.Exists(layer.Path)
	return l, nil
}

func (l *pythonLayer) metadata() map[string]any {
	return map[string]any{"python": l.runtime.version, "builder": l.runtime.id}
}

// Name is the name of the layer.
func (l *pythonLayer) Name() string { return pythonLayerName }

// link puts the builder's CPython where the image will have its own, so that
// a virtual environment made now is right then. The returned function takes
// it away again: a layer that is kept must not be there.
func (l *pythonLayer) link() (unlink func(), err error) {
	if err := os.RemoveAll(l.dir); err != nil {
		return nil, fmt.Errorf("clear the python layer: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(l.dir), 0o755); err != nil {
		return nil, fmt.Errorf("make the layers directory: %w", err)
	}
	if err := os.Symlink(l.runtime.home, l.dir); err != nil {
		return nil, fmt.Errorf("link the builder's CPython: %w", err)
	}
	return func() { _ = os.Remove(l.dir) }, nil // Contribute finds it if this fails
}

// Contribute copies the builder's CPython, if the previous image's layer
// cannot be kept.
func (l *pythonLayer) Contribute(layer libcnb.Layer) (libcnb.Layer, error) {
	layer.LayerTypes = libcnb.LayerTypes{Launch: true}
	layer.Metadata = l.metadata()
	if info, err := os.Lstat(l.dir); err == nil && (l.reuse || info.Mode()&fs.ModeSymlink != 0) {
		if err := os.Remove(l.dir); err != nil {
			return layer, fmt.Errorf("remove the link to the builder's CPython: %w", err)
		}
	}
	if l.reuse {
		return layer, nil
	}
	if err := cnb.CopyTree(layer.Path, l.runtime.home, l.notAtLaunch); err != nil {
		return layer, fmt.Errorf("copy CPython %s: %w", l.runtime.version, err)
	}
	return layer, nil
}

// notAtLaunch leaves out what only builds need.
func (l *pythonLayer) notAtLaunch(name string) bool {
	lib := l.runtime.lib()
	for _, prefix := range []string{lib + "/site-packages/pip", "bin/pip"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	switch name {
	case "include", "share", "lib/pkgconfig", lib + "/ensurepip", lib + "/test":
		return true
	}
	return false
}
