package detector

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

const refName = "org.opencontainers.image.ref.name"

// image finds the image that name means.
func (o *opener) image(ctx context.Context, named string) (v1.Image, error) {
	switch kindOf(named) {
	case layoutDir:
		return o.fromLayout(named)
	case archiveFile:
		what, err := contents(named)
		switch {
		case err != nil:
			return nil, err
		case what == ociArchive:
			return o.fromOCIArchive(ctx, named)
		case what == dockerArchive:
			return tarball.ImageFromPath(named, nil)
		}
		return nil, errors.New("it is no archive of an image: make one with docker save, or skopeo copy … oci-archive:FILE")
	case remoteImage:
		return o.fromRegistry(ctx, named)
	case missing, tomlFile, directory, strange:
	}
	return nil, errors.New("it is no image")
}

func (o *opener) platform() v1.Platform {
	return v1.Platform{OS: o.b.target.OS, Architecture: o.b.target.Arch, Variant: o.b.target.ArchVariant}
}

func (o *opener) fromRegistry(ctx context.Context, named string) (v1.Image, error) {
	ref, err := name.ParseReference(strings.TrimPrefix(named, "docker://"))
	if err != nil {
		return nil, fmt.Errorf("it is neither a file here nor the name of an image: %w", err)
	}
	img, err := remote.Image(ref, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithPlatform(o.platform()))
	if err != nil {
		return nil, fmt.Errorf("fetch image: %w", err)
	}
	return img, nil
}

// fromLayout picks the image of an OCI layout: the one called "builder", or the
// only one, or the one for the target.
func (o *opener) fromLayout(dir string) (v1.Image, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, fmt.Errorf("read OCI layout: %w", err)
	}
	return o.fromIndex(index, 0)
}

func (o *opener) fromIndex(index v1.ImageIndex, depth int) (v1.Image, error) {
	const most = 4
	manifest, err := index.IndexManifest()
	if err != nil || depth == most {
		return nil, fmt.Errorf("read index of images: %w", errors.Join(err, errors.ErrUnsupported))
	}
	entries := manifest.Manifests
	if i := slices.IndexFunc(entries, func(d v1.Descriptor) bool { return d.Annotations[refName] == "builder" }); i >= 0 {
		entries = entries[i : i+1]
	}
	if len(entries) > 1 {
		want := o.platform()
		entries = slices.DeleteFunc(slices.Clone(entries), func(d v1.Descriptor) bool {
			return d.Platform != nil && !d.Platform.Satisfies(want)
		})
	}
	if len(entries) != 1 {
		return nil, fmt.Errorf("it has %d images for %s/%s, and none is called \"builder\": name a layout with one", len(entries), o.b.target.OS, o.b.target.Arch)
	}
	if entries[0].MediaType.IsIndex() {
		next, err := index.ImageIndex(entries[0].Digest)
		if err != nil {
			return nil, fmt.Errorf("read index of images: %w", err)
		}
		return o.fromIndex(next, depth+1)
	}
	return index.Image(entries[0].Digest)
}

// fromOCIArchive unpacks a layout for as long as the builder is open.
func (o *opener) fromOCIArchive(ctx context.Context, file string) (v1.Image, error) {
	dir, err := o.tempDir()
	if err != nil {
		return nil, err
	}
	if err := unpackFile(ctx, file, dir); err != nil {
		return nil, err
	}
	return o.fromLayout(dir)
}

// tempDir makes a directory that is removed with the builder.
func (o *opener) tempDir() (string, error) {
	dir, err := os.MkdirTemp("", "slipway-detect-")
	if err != nil {
		return "", fmt.Errorf("make a directory to unpack in: %w", err)
	}
	o.b.temp = append(o.b.temp, dir)
	return dir, nil
}

// rootOf unpacks an image, once for all detections that use the same cache, and
// gives the directory.
func (o *opener) rootOf(ctx context.Context, named string, img v1.Image) (string, error) {
	if o.Cache == "" {
		return "", errors.New("there is no directory to keep images in")
	}
	digest, err := img.Digest()
	if err != nil {
		return "", fmt.Errorf("read image: %w", err)
	}
	images := filepath.Join(o.Cache, "detect", "images")
	dir := filepath.Join(images, digest.Hex)
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return dir, nil
	}
	if err := os.MkdirAll(images, 0o755); err != nil {
		return "", fmt.Errorf("make a directory for images: %w", err)
	}
	fmt.Fprintf(o.Progress, "Unpacking %s (once)\n", named)
	work, err := os.MkdirTemp(images, "unpack-")
	if err != nil {
		return "", fmt.Errorf("make a directory for images: %w", err)
	}
	in := mutate.Extract(img)
	err = unpack(ctx, tar.NewReader(in), work)
	if err = errors.Join(err, in.Close()); err == nil {
		err = os.Chmod(work, 0o755)
	}
	if err == nil {
		err = os.Rename(work, dir)
	}
	if err == nil {
		return dir, nil
	}
	err = errors.Join(fmt.Errorf("unpack image: %w", err), removeAll(work))
	if info, no := os.Stat(dir); no == nil && info.IsDir() {
		return dir, nil // another was quicker
	}
	return "", err
}

// Kinds of archives.
const (
	dockerArchive = "docker"
	ociArchive    = "oci"
	bpArchive     = "buildpack"
)

// contents tells what an archive holds; "" if nothing that is known.
func contents(file string) (string, error) {
	const most = 100_000
	kind := ""
	err := eachEntry(file, func(h *tar.Header, _ io.Reader, n int) error {
		switch strings.TrimPrefix(filepath.ToSlash(filepath.Clean(h.Name)), "/") {
		case "oci-layout":
			kind = ociArchive
		case "manifest.json":
			if kind == "" {
				kind = dockerArchive // skopeo and podman write both
			}
			return nil
		case buildpackFile, extensionFile, "bin/detect":
			kind = bpArchive
		}
		if kind == ociArchive || kind == bpArchive || n == most {
			return fs.SkipAll
		}
		return nil
	})
	return kind, err
}
