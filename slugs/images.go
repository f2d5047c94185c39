package slugs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/distribution/distribution/v3"
	_ "github.com/distribution/distribution/v3/manifest/ocischema" // decodes OCI manifests
	_ "github.com/distribution/distribution/v3/manifest/schema2"   // decodes Docker manifests
	"github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
)

// An Image is what the registry knows of one image.
type Image struct {
	Digest string            // of the manifest, "sha256:…"
	Size   int64             // bytes of all layers and the config, as stored (compressed)
	Labels map[string]string // of the image's config
}

// Resolve finds the image that ref (a tag or a digest) names in repository, or
// returns [ErrNotFound].
func (r *Registry) Resolve(ctx context.Context, repository, ref string) (Image, error) {
	repo, err := r.repository(ctx, repository)
	if err != nil {
		return Image{}, err
	}
	dgst, err := digest.Parse(ref)
	if err != nil {
		desc, err := repo.Tags(ctx).Get(ctx, ref)
		if err != nil {
			return Image{}, notFound(err, repository, ref)
		}
		dgst = desc.Digest
	}
	manifests, err := repo.Manifests(ctx)
	if err != nil {
		return Image{}, fmt.Errorf("read %s@%s: %w", repository, dgst, err)
	}
	m, err := manifests.Get(ctx, dgst)
	if err != nil {
		return Image{}, notFound(err, repository, dgst.String())
	}
	img := Image{Digest: dgst.String()}
	for _, d := range m.References() {
		img.Size += d.Size
	}
	img.Labels, err = labels(ctx, repo, m)
	return img, err
}

// labels reads the labels of the image's config. Its layout is the same in OCI
// and Docker images (OCI image specification, "Image Configuration").
func labels(ctx context.Context, repo distribution.Repository, m distribution.Manifest) (map[string]string, error) {
	refs := m.References()
	if len(refs) == 0 {
		return nil, nil
	}
	raw, err := repo.Blobs(ctx).Get(ctx, refs[0].Digest)
	if err != nil {
		return nil, fmt.Errorf("read image config: %w", err)
	}
	var config struct {
		Config struct{ Labels map[string]string }
	}
	if err := json.Unmarshal(raw, &config); err != nil {
		return nil, fmt.Errorf("decode image config: %w", err)
	}
	return config.Config.Labels, nil
}

// Tag makes tag name the image with this digest. It replaces what the tag named before.
func (r *Registry) Tag(ctx context.Context, repository, tag, dgst string) error {
	repo, err := r.repository(ctx, repository)
	if err != nil {
		return err
	}
	manifests, err := repo.Manifests(ctx)
	if err != nil {
		return fmt.Errorf("tag %s:%s: %w", repository, tag, err)
	}
	d := digest.Digest(dgst)
	if ok, err := manifests.Exists(ctx, d); err != nil || !ok {
		return fmt.Errorf("tag %s:%s as %s: %w", repository, tag, dgst, errors.Join(ErrNotFound, err))
	}
	if err := repo.Tags(ctx).Tag(ctx, tag, distribution.Descriptor{Digest: d}); err != nil {
		return fmt.Errorf("tag %s:%s: %w", repository, tag, err)
	}
	return nil
}

// Untag removes a tag; the image stays until a sweep finds that nothing names
// it. A missing tag is no error.
func (r *Registry) Untag(ctx context.Context, repository, tag string) error {
	repo, err := r.repository(ctx, repository)
	if err != nil {
		return err
	}
	if err := repo.Tags(ctx).Untag(ctx, tag); err != nil && !isNotFound(err) {
		return fmt.Errorf("untag %s:%s: %w", repository, tag, err)
	}
	return nil
}

// Tags lists the tags of a repository; a repository that does not exist has none.
func (r *Registry) Tags(ctx context.Context, repository string) ([]string, error) {
	repo, err := r.repository(ctx, repository)
	if err != nil {
		return nil, err
	}
	tags, err := repo.Tags(ctx).All(ctx)
	if err != nil && !isNotFound(err) {
		return nil, fmt.Errorf("list tags of %s: %w", repository, err)
	}
	return tags, nil
}

// Repositories lists the names of all repositories.
func (r *Registry) Repositories(ctx context.Context) ([]string, error) {
	var all []string
	page := make([]string, 256)
	last := ""
	for {
		n, err := r.images.Repositories(ctx, page, last)
		all = append(all, page[:n]...)
		if errors.Is(err, io.EOF) || isNotFound(err) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list repositories: %w", err)
		}
		last = page[n-1]
	}
}

func (r *Registry) repository(ctx context.Context, name string) (distribution.Repository, error) {
	named, err := reference.WithName(name)
	if err != nil {
		return nil, fmt.Errorf("repository %q: %w", name, err)
	}
	repo, err := r.images.Repository(ctx, named)
	if err != nil {
		return nil, fmt.Errorf("open repository %s: %w", name, err)
	}
	return repo, nil
}

func notFound(err error, repository, ref string) error {
	if isNotFound(err) {
		return fmt.Errorf("%s:%s: %w", repository, ref, ErrNotFound)
	}
	return fmt.Errorf("read %s:%s: %w", repository, ref, err)
}

func isNotFound(err error) bool {
	var (
		tag      distribution.ErrTagUnknown
		repo     distribution.ErrRepositoryUnknown
		manifest distribution.ErrManifestUnknownRevision
		unknown  distribution.ErrManifestUnknown
		path     driver.PathNotFoundError
	)
	return errors.As(err, &tag) || errors.As(err, &repo) || errors.As(err, &manifest) ||
		errors.As(err, &unknown) || errors.As(err, &path) || errors.Is(err, distribution.ErrBlobUnknown)
}

// uploadLife is how long an upload may rest before a sweep takes it away.
const uploadLife = 24 * time.Hour
