package slugs

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/distribution/distribution/v3"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/opencontainers/go-digest"
)

// Import stores an image under repository:tag. Blobs that are there already are
// not read again.
func (r *Registry) Import(ctx context.Context, img v1.Image, repository, tag string) error {
	release := r.HoldSweep()
	defer release()
	repo, err := r.repository(ctx, repository)
	if err != nil {
		return err
	}
	layers, err := img.Layers()
	if err != nil {
		return fmt.Errorf("read layers of %s:%s: %w", repository, tag, err)
	}
	for _, layer := range layers {
		if err := importBlob(ctx, repo, layer); err != nil {
			return fmt.Errorf("import %s:%s: %w", repository, tag, err)
		}
	}
	config, err := img.RawConfigFile()
	if err != nil {
		return fmt.Errorf("read config of %s:%s: %w", repository, tag, err)
	}
	mediaType, err := img.MediaType()
	if err != nil {
		return fmt.Errorf("read media type of %s:%s: %w", repository, tag, err)
	}
	if _, err := repo.Blobs(ctx).Put(ctx, "application/octet-stream", config); err != nil {
		return fmt.Errorf("import config of %s:%s: %w", repository, tag, err)
	}
	raw, err := img.RawManifest()
	if err != nil {
		return fmt.Errorf("read manifest of %s:%s: %w", repository, tag, err)
	}
	manifest, _, err := distribution.UnmarshalManifest(string(mediaType), raw)
	if err != nil {
		return fmt.Errorf("decode manifest of %s:%s: %w", repository, tag, err)
	}
	manifests, err := repo.Manifests(ctx)
	if err != nil {
		return fmt.Errorf("open manifests of %s: %w", repository, err)
	}
	dgst, err := manifests.Put(ctx, manifest)
	if err != nil {
		return fmt.Errorf("store manifest of %s:%s: %w", repository, tag, err)
	}
	return r.Tag(ctx, repository, tag, dgst.String())
}

func importBlob(ctx context.Context, repo distribution.Repository, layer v1.Layer) error {
	hash, err := layer.Digest()
	if err != nil {
		return fmt.Errorf("read layer digest: %w", err)
	}
	dgst := digest.Digest(hash.String())
	blobs := repo.Blobs(ctx)
	if _, err := blobs.Stat(ctx, dgst); err == nil {
		return nil
	}
	in, err := layer.Compressed()
	if err != nil {
		return fmt.Errorf("read layer %s: %w", dgst, err)
	}
	defer func() { _ = in.Close() }()
	out, err := blobs.Create(ctx)
	if err != nil {
		return fmt.Errorf("store layer %s: %w", dgst, err)
	}
	size, err := io.Copy(out, in)
	if err != nil {
		return errors.Join(fmt.Errorf("store layer %s: %w", dgst, err), out.Cancel(ctx))
	}
	if _, err := out.Commit(ctx, distribution.Descriptor{Digest: dgst, Size: size}); err != nil {
		return fmt.Errorf("store layer %s: %w", dgst, err)
	}
	return nil
}
