package images

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/diff"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/pkg/archive"
	"github.com/containerd/containerd/v2/pkg/archive/compression"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// An applier unpacks layers straight into a snapshot's directory. containerd's
// own mounts the first layer of an image below /tmp, where a killed server
// would leave it.
type applier struct{ content content.Provider }

var _ diff.Applier = applier{}

// Apply implements diff.Applier.
func (a applier) Apply(ctx context.Context, desc ocispec.Descriptor, mounts []mount.Mount, _ ...diff.ApplyOpt) (ocispec.Descriptor, error) {
	var none ocispec.Descriptor
	ra, err := a.content.ReaderAt(ctx, desc)
	if err != nil {
		return none, fmt.Errorf("open layer: %w", err)
	}
	defer ra.Close() //nolint:errcheck // only read
	plain, err := compression.DecompressStream(content.NewReader(ra))
	if err != nil {
		return none, fmt.Errorf("decompress layer: %w", err)
	}
	defer plain.Close() //nolint:errcheck // only read
	digester := digest.Canonical.Digester()
	counted := &countedReader{r: io.TeeReader(plain, digester.Hash())}
	dir, opts, err := target(mounts)
	if err != nil {
		return none, err
	}
	if _, err := archive.Apply(ctx, dir, counted, opts...); err != nil {
		return none, err
	}
	// What follows the end of the tar belongs to the digest.
	if _, err := io.Copy(io.Discard, counted); err != nil {
		return none, err
	}
	return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: digester.Digest(), Size: counted.n}, nil
}

// target is the directory to unpack into. Deleted files become overlayfs's
// whiteouts above other layers, and are deleted in a copy.
func target(mounts []mount.Mount) (string, []archive.ApplyOpt, error) {
	if len(mounts) != 1 {
		return "", nil, fmt.Errorf("snapshotter gave strange mounts: %v", mounts)
	}
	if mounts[0].Type == "bind" {
		return mounts[0].Source, nil, nil
	}
	var (
		upper  string
		lowers []string
	)
	for _, o := range mounts[0].Options {
		if dir, ok := strings.CutPrefix(o, "upperdir="); ok {
			upper = dir
		}
		if dirs, ok := strings.CutPrefix(o, "lowerdir="); ok {
			lowers = strings.Split(dirs, ":")
		}
	}
	if mounts[0].Type != "overlay" || upper == "" {
		return "", nil, fmt.Errorf("snapshotter gave strange mounts: %v", mounts)
	}
	return upper, []archive.ApplyOpt{
		archive.WithConvertWhiteout(archive.OverlayConvertWhiteout),
		archive.WithParents(lowers),
	}, nil
}

type countedReader struct {
	r io.Reader
	n int64
}

func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
