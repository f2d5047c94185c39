package embedded

import (
	"context"
	"fmt"
	"slices"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/distribution/reference"
	imagetypes "github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
	"github.com/opencontainers/go-digest"
)

// ImageTag implements DockerClient.
func (e *Engine) ImageTag(ctx context.Context, o client.ImageTagOptions) (client.ImageTagResult, error) {
	target, err := tagName(o.Target)
	if err != nil {
		return client.ImageTagResult{}, err
	}
	i, err := e.images.find(o.Source)
	if err != nil {
		return client.ImageTagResult{}, err
	}
	_, err = e.images.setName(ctx, target, i)
	return client.ImageTagResult{}, err
}

// ImageRemove implements DockerClient. A name is taken from its image; an ID,
// or the last name, takes the image. What containers still use goes with the
// last of them.
func (e *Engine) ImageRemove(ctx context.Context, name string, o client.ImageRemoveOptions) (client.ImageRemoveResult, error) {
	return e.images.remove(ctx, name, o.Force)
}

func (s *imageStore) remove(ctx context.Context, name string, force bool) (client.ImageRemoveResult, error) {
	ctx = s.with(ctx)
	var out client.ImageRemoveResult
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.findLocked(name)
	if err != nil {
		return out, err
	}
	var names []string
	if tag, err := tagName(name); err == nil && s.byTag[tag] == i && !isID(i, name) {
		names = []string{tag}
	} else {
		names = slices.Clone(i.names)
		if len(names) > 1 && !force {
			return out, conflict("image %s has several names", name)
		}
	}
	for _, n := range names {
		if err := s.names.Delete(ctx, n); err != nil && !cerrdefs.IsNotFound(err) {
			return out, fmt.Errorf("remove image: %w", err)
		}
		delete(s.byTag, n)
		i.names = slices.DeleteFunc(i.names, func(have string) bool { return have == n })
		out.Items = append(out.Items, imagetypes.DeleteResponse{Untagged: familiar(n)})
	}
	if len(i.names) == 0 {
		out.Items = append(out.Items, imagetypes.DeleteResponse{Deleted: i.id.String()})
	}
	return out, s.dropIfUnused(ctx, i)
}

func isID(i *image, name string) bool {
	return name == i.id.String() || digest.NewDigestFromEncoded(digest.SHA256, name) == i.id
}

func familiar(name string) string {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return name
	}
	return reference.FamiliarString(named)
}
