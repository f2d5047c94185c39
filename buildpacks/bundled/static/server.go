package static

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/buildpacks/libcnb"

	"slipway/buildpacks/bundled/cnb"
)

// info is what the builder says of its file server, in caddy.json beside it.
type info struct {
	Version string `json:"version"`
	ID      string `json:"id"` // changes whenever the program does
}

// A serverLayer is the file server at launch.
type serverLayer struct {
	from  string
	info  info
	reuse bool // the previous image's layer is right as it is
}

var _ libcnb.LayerContributor = (*serverLayer)(nil)

func (b *build) serverLayer() (*serverLayer, error) {
	l := &serverLayer{from: b.builder}
	data, err := os.ReadFile(filepath.Join(b.builder, "caddy.json"))
	if err != nil {
		return nil, fmt.Errorf("find the file server of the builder: %w", err)
	}
	if err := json.Unmarshal(data, &l.info); err != nil {
		return nil, fmt.Errorf("read caddy.json of the builder: %w", err)
	}
	layer, err := b.layers.Layer(l.Name())
	if err != nil {
		return nil, err
	}
	l.reuse = cnb.Same(layer.Metadata, l.metadata())
	return l, nil
}

func (l *serverLayer) metadata() map[string]any {
	return map[string]any{"caddy": l.info.Version, "builder": l.info.ID}
}

// Name is the name of the layer.
func (*serverLayer) Name() string { return "server" }

// Contribute copies the file server, if the previous image's layer cannot be kept.
func (l *serverLayer) Contribute(layer libcnb.Layer) (libcnb.Layer, error) {
	layer.LayerTypes = libcnb.LayerTypes{Launch: true}
	layer.Metadata = l.metadata()
	if l.reuse {
		return layer, nil
	}
	keep := func(name string) bool { return name == "caddy.json" }
	if err := cnb.CopyTree(filepath.Join(layer.Path, "bin"), l.from, keep); err != nil {
		return layer, fmt.Errorf("copy Caddy: %w", err)
	}
	return layer, nil
}
