package images

import (
	"context"
	"fmt"
	"maps"
	"slices"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
)

// Tag gives the image that source names another name.
func (s *Store) Tag(ctx context.Context, target, source string) error {
	target, err := tagName(target)
	if err != nil {
		return err
	}
	i, err := s.Find(source)
	if err != nil {
		return err
	}
	_, err = s.setName(ctx, target, i)
	return err
}

// Removed says what Remove did.
type Removed struct {
	Names []string      // that were taken away, as a user would type them
	ID    digest.Digest // of the image that went; "" if it has further names
}

// Remove takes a name from its image. An ID, or the last name, takes the image;
// what containers still use goes with the last of them.
func (s *Store) Remove(ctx context.Context, name string, force bool) (Removed, error) {
	ctx = s.with(ctx)
	var out Removed
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
		out.Names = append(out.Names, familiar(n))
	}
	if len(i.names) == 0 {
		out.ID = i.ID
	}
	return out, s.dropIfUnused(ctx, i)
}

// List names every image, by each of its names in full.
func (s *Store) List() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.byTag))
}

func isID(i *Image, name string) bool {
	return name == i.ID.String() || digest.NewDigestFromEncoded(digest.SHA256, name) == i.ID
}

func familiar(name string) string {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return name
	}
	return reference.FamiliarString(named)
}
