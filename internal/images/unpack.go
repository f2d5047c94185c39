package images

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/pkg/rootfs"
	cerrdefs "github.com/containerd/errdefs"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// gcRoot keeps a snapshot from being collected.
const gcRoot = "containerd.io/gc.root"

// unpack makes a snapshot of every layer that has none. The digest of each is
// checked against the configuration.
func (s *Store) unpack(ctx context.Context, i *Image) error {
	layers := make([]rootfs.Layer, len(i.layers))
	for n, blob := range i.layers {
		layers[n] = rootfs.Layer{
			Diff: ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: i.Config.RootFS.DiffIDs[n]},
			Blob: blob,
		}
	}
	if len(layers) == 0 {
		return errors.New("image has no layers")
	}
	if _, err := rootfs.ApplyLayersWithOpts(ctx, layers, s.snaps, s.applier, nil); err != nil {
		return fmt.Errorf("unpack image: %w", err)
	}
	return nil
}

// Layers are the root file system of a container, in one of two forms.
type Layers struct {
	// Lower are the image's own layers for overlayfs, topmost first. They
	// must not be written to.
	Lower []string
	// Dir is a copy of them for this container alone, if Lower is empty.
	Dir string
}

// Layers makes an image that is held ready to be run by the container id, which
// calls Drop in the end.
func (s *Store) Layers(ctx context.Context, i *Image, id string) (Layers, error) {
	ctx = s.with(ctx)
	if s.driver == nativeDriver {
		mounts, err := s.snaps.Prepare(ctx, id, i.chain(), snapshots.WithLabels(map[string]string{
			gcRoot: time.Now().UTC().Format(time.RFC3339),
		}))
		if err != nil {
			return Layers{}, fmt.Errorf("copy image: %w", err)
		}
		return Layers{Dir: mounts[0].Source}, nil
	}
	lower, err := s.lowerOf(ctx, i)
	return Layers{Lower: lower}, err
}

// Drop removes what Layers made beyond the image's own layers.
func (s *Store) Drop(ctx context.Context, id string) error {
	if s.driver != nativeDriver {
		return nil
	}
	if err := s.snaps.Remove(s.with(ctx), id); err != nil && !cerrdefs.IsNotFound(err) {
		return fmt.Errorf("remove snapshot: %w", err)
	}
	s.askCollect()
	return nil
}

// lowerOf finds the directories of an image's layers. The overlay snapshotter
// tells them only by way of a view.
func (s *Store) lowerOf(ctx context.Context, i *Image) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i.lower != nil {
		return i.lower, nil
	}
	s.collecting.RLock()
	defer s.collecting.RUnlock()
	key := fmt.Sprintf("view-%s-%d", i.ID, time.Now().UnixNano())
	mounts, err := s.snaps.View(ctx, key, i.chain())
	if err != nil {
		return nil, fmt.Errorf("find layers: %w", err)
	}
	if err := s.snaps.Remove(ctx, key); err != nil {
		return nil, fmt.Errorf("find layers: %w", err)
	}
	i.lower, err = lowerDirs(mounts)
	return i.lower, err
}

func lowerDirs(mounts []mount.Mount) ([]string, error) {
	if len(mounts) == 1 && mounts[0].Type == "bind" {
		return []string{mounts[0].Source}, nil
	}
	if len(mounts) == 1 {
		for _, o := range mounts[0].Options {
			if dirs, ok := strings.CutPrefix(o, "lowerdir="); ok {
				return strings.Split(dirs, ":"), nil
			}
		}
	}
	return nil, fmt.Errorf("snapshotter gave strange mounts: %v", mounts)
}
