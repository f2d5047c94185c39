package images

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	cerrdefs "github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// maxEntries bounds the files of an image archive.
const maxEntries = 10_000

// An imageArchive is one whose blobs have been stored.
type imageArchive struct {
	blobs    map[string]ocispec.Descriptor // by name in the archive
	manifest []dockerManifest              // manifest.json
	index    *ocispec.Index                // index.json
}

type dockerManifest struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// Load reads what docker save, pack and go-containerregistry write, and OCI
// layouts in a tar. A layer may be left out (empty) if the store has it
// already. It returns the names of the images, IDs for those without.
func (s *Store) Load(ctx context.Context, input io.Reader) ([]string, error) {
	defer s.adding()()
	ctx = s.with(ctx)
	a, err := s.readArchive(ctx, input)
	if err != nil {
		return nil, err
	}
	var loaded []string
	switch {
	case a.manifest != nil:
		for _, m := range a.manifest {
			names, err := s.loadDocker(ctx, a, m)
			if err != nil {
				return nil, err
			}
			loaded = append(loaded, names...)
		}
	case a.index != nil:
		for _, desc := range a.index.Manifests {
			name, err := s.loadOCI(ctx, desc)
			if err != nil {
				return nil, err
			}
			loaded = append(loaded, name)
		}
	default:
		return nil, invalid("neither manifest.json nor index.json in the archive")
	}
	if len(loaded) == 0 {
		return nil, invalid("no image in the archive")
	}
	return loaded, nil
}

func (s *Store) readArchive(ctx context.Context, input io.Reader) (*imageArchive, error) {
	a := &imageArchive{blobs: make(map[string]ocispec.Descriptor)}
	links := make(map[string]string)
	tr := tar.NewReader(input)
	for n := 0; ; n++ {
		hdr, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read archive: %w", err)
		}
		if n > maxEntries {
			return nil, invalid("more than %d files in the archive", maxEntries)
		}
		name := cleanName(hdr.Name)
		switch hdr.Typeflag {
		case tar.TypeSymlink:
			links[name] = cleanName(path.Join(path.Dir(name), hdr.Linkname))
		case tar.TypeLink:
			links[name] = cleanName(hdr.Linkname)
		case tar.TypeReg:
			if err := s.readEntry(ctx, a, name, hdr.Size, tr); err != nil {
				return nil, fmt.Errorf("read %q: %w", hdr.Name, err)
			}
		}
	}
	// Old versions of docker save link equal layers.
	for name, target := range links {
		if desc, ok := a.blobs[target]; ok {
			a.blobs[name] = desc
		}
	}
	return a, nil
}

func cleanName(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

func (s *Store) readEntry(ctx context.Context, a *imageArchive, name string, size int64, r io.Reader) error {
	switch name {
	case "manifest.json":
		return decodeBounded(r, &a.manifest)
	case ocispec.ImageIndexFile:
		return decodeBounded(r, &a.index)
	case ocispec.ImageLayoutFile, "repositories":
		return nil
	}
	if size == 0 {
		a.blobs[name] = ocispec.Descriptor{}
		return nil
	}
	buffered := bufio.NewReaderSize(r, 1<<16)
	head, err := buffered.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	kind := layerType(head) // head is overwritten by what is read next
	desc, err := s.writeBlob(ctx, buffered, size)
	desc.MediaType = kind
	a.blobs[name] = desc
	return err
}

func decodeBounded(r io.Reader, into any) error {
	return json.NewDecoder(io.LimitReader(r, maxJSON)).Decode(into)
}

// layerType tells the compression of a layer by its first bytes.
func layerType(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return ocispec.MediaTypeImageLayerGzip
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return ocispec.MediaTypeImageLayerZstd
	}
	return ocispec.MediaTypeImageLayer
}

// writeBlob stores a blob whose digest is not known yet.
func (s *Store) writeBlob(ctx context.Context, r io.Reader, size int64) (ocispec.Descriptor, error) {
	w, err := s.content.Writer(ctx, content.WithRef("load-"+rand.Text()))
	if err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("open blob: %w", err)
	}
	defer func() { _ = w.Close() }() // Commit has told of errors
	if _, err := io.CopyN(w, r, size); err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("write blob: %w", err)
	}
	desc := ocispec.Descriptor{Digest: w.Digest(), Size: size}
	if err := w.Commit(ctx, size, desc.Digest); err != nil && !cerrdefs.IsAlreadyExists(err) {
		return ocispec.Descriptor{}, fmt.Errorf("keep blob: %w", err)
	}
	return desc, nil
}

// loadDocker makes a manifest for an image of a docker archive, which has none.
func (s *Store) loadDocker(ctx context.Context, a *imageArchive, m dockerManifest) ([]string, error) {
	config, ok := a.blobs[cleanName(m.Config)]
	if !ok || config.Size == 0 {
		return nil, invalid("configuration %q is missing", m.Config)
	}
	config.MediaType = ocispec.MediaTypeImageConfig
	var doc ocispec.Image
	if _, err := s.readJSON(ctx, config, &doc); err != nil {
		return nil, fmt.Errorf("read image configuration: %w", err)
	}
	if len(doc.RootFS.DiffIDs) != len(m.Layers) {
		return nil, invalid("image has %d layers but %d diff IDs", len(m.Layers), len(doc.RootFS.DiffIDs))
	}
	manifest := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageManifest,
		Config:    config,
	}
	for n, diffID := range doc.RootFS.DiffIDs {
		layer, known := s.layerOf(diffID)
		if !known {
			layer, ok = a.blobs[cleanName(m.Layers[n])]
			if !ok || layer.Size == 0 {
				return nil, invalid("layer %s is neither in the archive nor in the engine", diffID)
			}
		}
		manifest.Layers = append(manifest.Layers, layer)
	}
	desc, err := s.writeManifest(ctx, manifest)
	if err != nil {
		return nil, err
	}
	tags := make([]string, len(m.RepoTags))
	for n, tag := range m.RepoTags {
		if tags[n], err = tagName(tag); err != nil {
			return nil, err
		}
	}
	i, err := s.add(ctx, desc, tags)
	if err != nil {
		return nil, err
	}
	if len(tags) == 0 {
		return []string{i.ID.String()}, nil
	}
	return m.RepoTags, nil
}

func (s *Store) writeManifest(ctx context.Context, m ocispec.Manifest) (ocispec.Descriptor, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("encode manifest: %w", err)
	}
	desc := ocispec.Descriptor{MediaType: m.MediaType, Digest: digest.FromBytes(text), Size: int64(len(text))}
	err = content.WriteBlob(ctx, s.content, "manifest-"+desc.Digest.String(), bytes.NewReader(text), desc)
	if err != nil && !cerrdefs.IsAlreadyExists(err) {
		return ocispec.Descriptor{}, fmt.Errorf("write manifest: %w", err)
	}
	return desc, nil
}

// loadOCI names an image of an OCI layout; of a list of platforms it takes
// this machine's.
func (s *Store) loadOCI(ctx context.Context, desc ocispec.Descriptor) (string, error) {
	name := desc.Annotations[images.AnnotationImageName]
	if name == "" {
		name = desc.Annotations[ocispec.AnnotationRefName]
	}
	desc, err := s.choose(ctx, desc, platforms.Default())
	if err != nil {
		return "", err
	}
	var tags []string
	if name != "" {
		tag, err := tagName(name)
		if err != nil {
			return "", err
		}
		tags = []string{tag}
	}
	i, err := s.add(ctx, desc, tags)
	if err != nil {
		return "", err
	}
	if name == "" {
		name = i.ID.String()
	}
	return name, nil
}

// choose follows an index to the manifest of one platform.
func (s *Store) choose(ctx context.Context, desc ocispec.Descriptor, want platforms.MatchComparer) (ocispec.Descriptor, error) {
	for range 5 {
		if !images.IsIndexType(desc.MediaType) {
			desc.Annotations, desc.Platform = nil, nil
			return desc, nil
		}
		var index ocispec.Index
		if _, err := s.readJSON(ctx, desc, &index); err != nil {
			return desc, fmt.Errorf("read index: %w", err)
		}
		best := -1
		for n, m := range index.Manifests {
			if m.Platform == nil || !want.Match(*m.Platform) {
				continue
			}
			if best < 0 || want.Less(*m.Platform, *index.Manifests[best].Platform) {
				best = n
			}
		}
		if best < 0 {
			return desc, fmt.Errorf("no image for this platform among %d: %w", len(index.Manifests), cerrdefs.ErrNotFound)
		}
		desc = index.Manifests[best]
	}
	return desc, invalid("indexes nest too deeply")
}
