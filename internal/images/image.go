package images

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/snapshots"
	cerrdefs "github.com/containerd/errdefs"
	"github.com/distribution/reference"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"go.uber.org/zap"
)

// maxJSON bounds manifests and configurations, which come from outside.
const maxJSON = 16 << 20

// doomed labels an image that was removed while containers used it.
const doomed = "slipway/doomed"

// An Image is what the store knows of one image. All but the fields that
// Store.mu guards never change.
type Image struct {
	// ID is the digest of the configuration, as Docker's IDs are.
	ID digest.Digest
	// Config says how the image is run. It must not be changed.
	Config dockerspec.DockerOCIImage
	// Size is that of the layers as they are stored.
	Size int64

	manifest ocispec.Descriptor
	raw      []byte // Config as it is stored
	layers   []ocispec.Descriptor

	names []string // guarded by Store.mu
	lower []string // overlay layers, topmost first; guarded by Store.mu
	uses  int      // containers; guarded by Store.mu
}

// chain names the snapshot of all layers.
func (i *Image) chain() string {
	return identity.ChainID(i.Config.RootFS.DiffIDs).String()
}

// tagName normalises a reference: pack says index.docker.io/library/x.
func tagName(name string) (string, error) {
	named, err := reference.ParseDockerRef(name)
	if err != nil {
		return "", invalid("image name %q: %w", name, err)
	}
	return named.String(), nil
}

// Find looks an image up by name, digest reference, ID or prefix of an ID.
func (s *Store) Find(name string) (*Image, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.findLocked(name)
}

func (s *Store) findLocked(name string) (*Image, error) {
	if i, ok := s.byID[digest.Digest(name)]; ok {
		return i, nil
	}
	if i, ok := s.byID[digest.NewDigestFromEncoded(digest.SHA256, name)]; ok {
		return i, nil
	}
	if tag, err := tagName(name); err == nil {
		if i, ok := s.byTag[tag]; ok {
			return i, nil
		}
	}
	if prefix := strings.TrimPrefix(name, "sha256:"); len(prefix) >= 12 {
		for id, i := range s.byID {
			if strings.HasPrefix(id.Encoded(), prefix) {
				return i, nil
			}
		}
	}
	return nil, notFound("image", name)
}

// Count is the number of images.
func (s *Store) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byID)
}

// layerOf finds the blob of an uncompressed digest among the known images.
func (s *Store) layerOf(diffID digest.Digest) (ocispec.Descriptor, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.byID {
		if n := slices.Index(i.Config.RootFS.DiffIDs, diffID); n >= 0 {
			return i.layers[n], true
		}
	}
	return ocispec.Descriptor{}, false
}

// Names gives the short names of an image, as a user would type them.
func (s *Store) Names(i *Image) (tags, digests []string) {
	s.mu.Lock()
	names := slices.Clone(i.names)
	s.mu.Unlock()
	for _, name := range names {
		named, err := reference.ParseNormalizedNamed(name)
		switch {
		case err != nil: // the image's own ID
		case strings.Contains(name, "@"):
			digests = append(digests, reference.FamiliarString(named))
		default:
			tags = append(tags, reference.FamiliarString(named))
		}
	}
	return tags, digests
}

// read fills the memory from the bolt file, and drops what cannot be read.
func (s *Store) read() error {
	list, err := s.names.List(s.ctx)
	if err != nil {
		return fmt.Errorf("list images: %w", err)
	}
	for _, stored := range list {
		i, err := s.readImage(s.ctx, stored.Target)
		if err == nil && stored.Labels[doomed] != "" {
			err = errors.New("it was removed")
		}
		if err != nil {
			s.log.Warn("image dropped", zap.String("image", stored.Name), zap.Error(err))
			if err := s.names.Delete(s.ctx, stored.Name); err != nil {
				return fmt.Errorf("drop image: %w", err)
			}
			continue
		}
		if known, ok := s.byID[i.ID]; ok {
			i = known
		}
		s.byID[i.ID] = i
		i.names = append(i.names, stored.Name)
		s.byTag[stored.Name] = i
	}
	// Containers do not outlive the engine, nor do their snapshots.
	var left []string
	err = s.snaps.Walk(s.ctx, func(_ context.Context, info snapshots.Info) error {
		if info.Kind != snapshots.KindCommitted {
			left = append(left, info.Name)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list snapshots: %w", err)
	}
	for _, key := range left {
		if err := s.snaps.Remove(s.ctx, key); err != nil {
			return fmt.Errorf("remove snapshot: %w", err)
		}
	}
	s.askCollect()
	return nil
}

// readImage reads a manifest and its configuration from the content store.
func (s *Store) readImage(ctx context.Context, desc ocispec.Descriptor) (*Image, error) {
	i := &Image{manifest: desc}
	var m ocispec.Manifest
	if _, err := s.readJSON(ctx, desc, &m); err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	raw, err := s.readJSON(ctx, m.Config, &i.Config)
	if err != nil {
		return nil, fmt.Errorf("read image configuration: %w", err)
	}
	if len(m.Layers) != len(i.Config.RootFS.DiffIDs) {
		return nil, fmt.Errorf("image has %d layers but %d diff IDs", len(m.Layers), len(i.Config.RootFS.DiffIDs))
	}
	i.ID, i.raw, i.layers = m.Config.Digest, raw, m.Layers
	for _, l := range m.Layers {
		i.Size += l.Size
	}
	return i, nil
}

func (s *Store) readJSON(ctx context.Context, desc ocispec.Descriptor, into any) ([]byte, error) {
	if desc.Size > maxJSON {
		return nil, fmt.Errorf("%s has %d bytes, more than %d", desc.Digest, desc.Size, maxJSON)
	}
	raw, err := content.ReadBlob(s.with(ctx), s.content, desc)
	if err != nil {
		return nil, err
	}
	return raw, json.Unmarshal(raw, into)
}

// add unpacks the image whose manifest is in the content store, and gives it
// names. Call it within adding.
func (s *Store) add(ctx context.Context, desc ocispec.Descriptor, names []string) (*Image, error) {
	ctx = s.with(ctx)
	i, err := s.readImage(ctx, desc)
	if err != nil {
		return nil, err
	}
	if err := s.unpack(ctx, i); err != nil {
		return nil, err
	}
	if err := s.protect(ctx, i); err != nil {
		return nil, err
	}
	if len(names) == 0 {
		names = []string{i.ID.String()}
	}
	for _, name := range names {
		if i, err = s.setName(ctx, name, i); err != nil {
			return nil, err
		}
	}
	return i, nil
}

// protect writes down what the image refers to, for the collector.
func (s *Store) protect(ctx context.Context, i *Image) error {
	children := images.SetChildrenMappedLabels(s.content, images.ChildrenHandler(s.content), nil)
	if _, err := children(ctx, i.manifest); err != nil {
		return fmt.Errorf("label image: %w", err)
	}
	label := "containerd.io/gc.ref.snapshot." + s.driver
	_, err := s.content.Update(ctx, content.Info{
		Digest: i.ID,
		Labels: map[string]string{label: i.chain()},
	}, "labels."+label)
	if err != nil {
		return fmt.Errorf("label image: %w", err)
	}
	return nil
}

// setName points a name at an image, which may be known under other names
// already, and returns the image as the store knows it. An image that loses
// its last name goes.
func (s *Store) setName(ctx context.Context, name string, i *Image) (*Image, error) {
	ctx = s.with(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.byID[i.ID]; ok {
		i = known
	}
	old := s.byTag[name]
	if old == i {
		return i, nil
	}
	stored := images.Image{Name: name, Target: i.manifest}
	_, err := s.names.Create(ctx, stored)
	if cerrdefs.IsAlreadyExists(err) {
		_, err = s.names.Update(ctx, stored)
	}
	if err != nil {
		return nil, fmt.Errorf("name image: %w", err)
	}
	s.byID[i.ID] = i
	s.byTag[name] = i
	i.names = append(i.names, name)
	if old != nil {
		old.names = slices.DeleteFunc(old.names, func(n string) bool { return n == name })
		return i, s.dropIfUnused(ctx, old)
	}
	return i, nil
}

// dropIfUnused forgets an image that has neither names nor containers. While
// containers use it, a name that is its own ID keeps it.
func (s *Store) dropIfUnused(ctx context.Context, i *Image) error {
	own := i.ID.String()
	if len(i.names) > 0 {
		return nil
	}
	if i.uses > 0 {
		_, err := s.names.Create(ctx, images.Image{Name: own, Target: i.manifest, Labels: map[string]string{doomed: "yes"}})
		if cerrdefs.IsAlreadyExists(err) {
			return nil
		}
		return err
	}
	delete(s.byID, i.ID)
	if err := s.names.Delete(ctx, own); err != nil && !cerrdefs.IsNotFound(err) {
		return fmt.Errorf("drop image: %w", err)
	}
	s.askCollect()
	return nil
}

// Acquire finds an image for a container; Release gives it back. What is held
// stays on disk, whatever becomes of its names.
func (s *Store) Acquire(name string) (*Image, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.findLocked(name)
	if err != nil {
		return nil, err
	}
	i.uses++
	return i, nil
}

// Release gives back what Acquire took.
func (s *Store) Release(ctx context.Context, i *Image) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i.uses--
	return s.dropIfUnused(s.with(ctx), i)
}
