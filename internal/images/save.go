package images

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/pkg/archive/compression"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Save writes images that are held as docker save does. Layers are written
// uncompressed, named like those of Docker 25: pack relies on both.
func (s *Store) Save(ctx context.Context, w io.Writer, list []*Image) error {
	ctx = s.with(ctx)
	tw := tar.NewWriter(w)
	var manifests []dockerManifest
	written := make(map[string]bool)
	for _, i := range list {
		m := dockerManifest{Config: "blobs/sha256/" + i.ID.Encoded()}
		m.RepoTags, _ = s.Names(i)
		if err := writeFile(tw, m.Config, int64(len(i.raw)), bytes.NewReader(i.raw)); err != nil {
			return err
		}
		for n, blob := range i.layers {
			name := "blobs/sha256/" + i.Config.RootFS.DiffIDs[n].Encoded()
			m.Layers = append(m.Layers, name)
			if written[name] {
				continue
			}
			written[name] = true
			if err := s.saveLayer(ctx, tw, name, blob); err != nil {
				return fmt.Errorf("save layer: %w", err)
			}
		}
		manifests = append(manifests, m)
	}
	text, err := json.Marshal(manifests)
	if err != nil {
		return fmt.Errorf("encode manifest: %w", err)
	}
	if err := writeFile(tw, "manifest.json", int64(len(text)), bytes.NewReader(text)); err != nil {
		return err
	}
	return tw.Close()
}

// saveLayer reads a compressed layer twice: a tar wants the size first.
func (s *Store) saveLayer(ctx context.Context, tw *tar.Writer, name string, blob ocispec.Descriptor) error {
	size := int64(0)
	count := func(r io.Reader) (err error) {
		size, err = io.Copy(io.Discard, r)
		return err
	}
	if err := s.readLayer(ctx, blob, count); err != nil {
		return err
	}
	return s.readLayer(ctx, blob, func(r io.Reader) error { return writeFile(tw, name, size, r) })
}

func (s *Store) readLayer(ctx context.Context, blob ocispec.Descriptor, use func(io.Reader) error) error {
	ra, err := s.content.ReaderAt(ctx, blob)
	if err != nil {
		return err
	}
	defer ra.Close() //nolint:errcheck // only read
	plain, err := compression.DecompressStream(content.NewReader(ra))
	if err != nil {
		return err
	}
	defer plain.Close() //nolint:errcheck // only read
	return use(plain)
}

func writeFile(tw *tar.Writer, name string, size int64, r io.Reader) error {
	if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: size, Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	_, err := io.Copy(tw, r)
	return err
}
