package bundled

import (
	"fmt"
	"io"
	"os"
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
)

// A fileLayer is a finished layer in a file, for go-containerregistry.
type fileLayer struct {
	layer
	path string
}

var _ v1.Layer = fileLayer{}

// Digest is the hash of the compressed layer.
func (l fileLayer) Digest() (v1.Hash, error) { return v1.NewHash(l.layer.Digest) }

// DiffID is the hash of the uncompressed layer.
func (l fileLayer) DiffID() (v1.Hash, error) { return v1.NewHash(l.layer.DiffID) }

// Compressed opens the file.
func (l fileLayer) Compressed() (io.ReadCloser, error) { return os.Open(l.path) }

// Uncompressed opens the file and unpacks it.
func (l fileLayer) Uncompressed() (io.ReadCloser, error) {
	f, err := os.Open(l.path)
	if err != nil {
		return nil, err
	}
	zr, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{zr, f}, nil
}

// Size is that of the file.
func (l fileLayer) Size() (int64, error) { return l.layer.Size, nil }

// MediaType is an OCI layer's.
func (l fileLayer) MediaType() (types.MediaType, error) { return types.OCILayer, nil }

// A step is a layer and what its history entry says.
type step struct {
	layer fileLayer
	did   string
}

// image puts layers together. Build and run images differ in their layers,
// description and environment only.
func image(description string, env []string, steps []step) (v1.Image, error) {
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	var adds []mutate.Addendum
	for _, s := range steps {
		adds = append(adds, mutate.Addendum{
			Layer:   s.layer,
			History: v1.History{Created: v1.Time{Time: normalTime}, CreatedBy: s.did},
		})
	}
	img, err := mutate.Append(img, adds...)
	if err != nil {
		return nil, fmt.Errorf("append layers: %w", err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	config = config.DeepCopy()
	config.Architecture, config.OS = "amd64", "linux"
	config.Created = v1.Time{Time: normalTime}
	labels := map[string]string{
		"io.buildpacks.base.id":             stackID,
		"io.buildpacks.base.description":    description,
		"io.buildpacks.base.maintainer":     "Slipway",
		"io.buildpacks.base.distro.name":    distroName,
		"io.buildpacks.base.distro.version": distroVer,
		"io.buildpacks.stack.id":            stackID,
		"io.buildpacks.stack.description":   description,
		"org.opencontainers.image.title":    description,
	}
	config.Config = v1.Config{
		User:   strconv.Itoa(userID) + ":" + strconv.Itoa(groupID),
		Env:    append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}, env...),
		Labels: labels,
	}
	if img, err = mutate.ConfigFile(img, config); err != nil {
		return nil, fmt.Errorf("set config: %w", err)
	}
	return img, nil
}

// allOCI gives the image with one family of media types: pack adds Docker's
// kind of layers to whatever it is given.
func allOCI(img v1.Image) (v1.Image, error) {
	config, err := img.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	layers, err := img.Layers()
	if err != nil {
		return nil, fmt.Errorf("read layers: %w", err)
	}
	out := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	var adds []mutate.Addendum
	for _, l := range layers {
		adds = append(adds, mutate.Addendum{Layer: l, MediaType: types.OCILayer})
	}
	if out, err = mutate.Append(out, adds...); err != nil {
		return nil, fmt.Errorf("append layers: %w", err)
	}
	if out, err = mutate.ConfigFile(out, config); err != nil {
		return nil, fmt.Errorf("set config: %w", err)
	}
	return out, nil
}
