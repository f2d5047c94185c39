package embedded

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/pkg/archive/compression"
	"github.com/moby/moby/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ImageSave implements DockerClient. Layers are written uncompressed, named
// like those of Docker 25: pack relies on both. The caller closes the result.
func (e *Engine) ImageSave(ctx context.Context, names []string, _ ...client.ImageSaveOption) (client.ImageSaveResult, error) {
	var list []*image
	for _, name := range names {
		// Held as a container would, so that it is not deleted meanwhile.
		i, err := e.images.acquire(name)
		if err != nil {
			return nil, errors.Join(err, e.images.releaseAll(ctx, list))
		}
		list = append(list, i)
	}
	pr, pw := io.Pipe()
	go func() {
		err := e.images.save(ctx, pw, list)
		err = errors.Join(err, e.images.releaseAll(context.WithoutCancel(ctx), list))
		pw.CloseWithError(err)
	}()
	return pr, nil
}

func (s *imageStore) releaseAll(ctx context.Context, list []*image) error {
	var errs []error
	for _, i := range list {
		errs = append(errs, s.release(ctx, i))
	}
	return errors.Join(errs...)
}

func (s *imageStore) save(ctx context.Context, w io.Writer, list []*image) error {
	ctx = s.with(ctx)
	tw := tar.NewWriter(w)
	var manifests []dockerManifest
	written := make(map[string]bool)
	for _, i := range list {
		m := dockerManifest{Config: "blobs/sha256/" + i.id.Encoded()}
		m.RepoTags, _ = s.namesOf(i)
		if err := writeFile(tw, m.Config, int64(len(i.raw)), bytes.NewReader(i.raw)); err != nil {
			return err
		}
		for n, blob := range i.layers {
			name := "blobs/sha256/" + i.config.RootFS.DiffIDs[n].Encoded()
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
func (s *imageStore) saveLayer(ctx context.Context, tw *tar.Writer, name string, blob ocispec.Descriptor) error {
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

func (s *imageStore) readLayer(ctx context.Context, blob ocispec.Descriptor, use func(io.Reader) error) error {
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
