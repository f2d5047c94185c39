package static

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/buildpacks/libcnb"
	"github.com/klauspost/compress/gzip"
	"golang.org/x/sync/errgroup"
)

const (
	minCompressed = 1 << 10  // smaller files gain nothing
	maxCompressed = 32 << 20 // larger ones take too long, and are served as they are
	// bestBrotli is the size up to which brotli does its best, which takes a second
	// for each megabyte.
	bestBrotli = 1 << 20

	manifestFile = "manifest.json"
)

// compressible are the kinds of files that compression makes smaller.
var compressible = strings.Fields(`
	.html .htm .css .js .mjs .cjs .json .map .svg .xml .txt .md .csv .ico .wasm .webmanifest .rss .atom .eot .ttf .otf
	.xhtml .geojson .topojson .vtt .bmp .gltf`)

// A compressedLayer has NAME.br and NAME.gz of the site's files. It is in the
// cache, so that only what has changed is compressed again.
type compressedLayer struct {
	dir string

	mu   sync.Mutex
	sums map[string]string // of the files whose forms are there, by name
}

var _ libcnb.LayerContributor = (*compressedLayer)(nil)

// Name is the name of the layer.
func (*compressedLayer) Name() string { return "compressed" }

// Contribute describes what is there already.
func (*compressedLayer) Contribute(layer libcnb.Layer) (libcnb.Layer, error) {
	layer.LayerTypes = libcnb.LayerTypes{Launch: true, Cache: true}
	layer.Metadata = map[string]any{}
	return layer, nil
}

func (b *build) compressedLayer(ctx context.Context) (*compressedLayer, error) {
	l := &compressedLayer{sums: map[string]string{}}
	layer, err := b.layers.Layer(l.Name())
	if err != nil {
		return nil, err
	}
	l.dir = layer.Path
	was := l.readManifest()
	names, err := b.compressible()
	if err != nil {
		return nil, err
	}
	if len(names) > 0 {
		b.out.Step("Compressing files with gzip and brotli")
	}
	fresh, err := l.fill(ctx, filepath.Join(b.app, b.root), names, was)
	if err != nil {
		return nil, fmt.Errorf("compress the site: %w", err)
	}
	if err := l.settle(was); err != nil {
		return nil, fmt.Errorf("keep the compressed files: %w", err)
	}
	if len(names) > 0 {
		b.out.Detail("Files: %d, of these %d in the cache", len(names), len(names)-fresh)
	}
	return l, nil
}

// readManifest gives the sums of what the cache has. Without them it has nothing.
func (l *compressedLayer) readManifest() map[string]string {
	was := map[string]string{}
	data, err := os.ReadFile(filepath.Join(l.dir, manifestFile))
	if err != nil || json.Unmarshal(data, &was) != nil {
		_ = os.RemoveAll(l.dir) // MkdirAll says it if this fails
		return map[string]string{}
	}
	return was
}

// compressible are the files of the site to compress, by their names below the
// root, with slashes.
func (b *build) compressible() ([]string, error) {
	root, hide := filepath.Join(b.app, b.root), b.hidden()
	var names []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil || name == "." {
			return err
		}
		if strings.HasPrefix(d.Name(), ".") && name != ".well-known" || slices.Contains(hide, name) {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || !slices.Contains(compressible, strings.ToLower(filepath.Ext(name))) {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Size() >= minCompressed && info.Size() <= maxCompressed {
			names = append(names, filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the site: %w", err)
	}
	return names, nil
}

// fill compresses the files that the cache has not, on all cores.
func (l *compressedLayer) fill(ctx context.Context, root string, names []string, was map[string]string) (fresh int, err error) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, name := range names {
		g.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
			if err != nil {
				return err
			}
			sum := sha256.Sum256(data)
			text := hex.EncodeToString(sum[:])
			l.mu.Lock()
			l.sums[name] = text
			kept := was[name] == text
			if !kept {
				fresh++
			}
			l.mu.Unlock()
			if kept {
				return nil
			}
			return l.compress(name, data)
		})
	}
	return fresh, g.Wait()
}

// compress writes the forms of a file that are smaller than itself.
func (l *compressedLayer) compress(name string, data []byte) error {
	quality := brotli.BestCompression
	if len(data) > bestBrotli {
		quality = brotli.DefaultCompression
	}
	for suffix, open := range map[string]func(io.Writer) (io.WriteCloser, error){
		".br": func(w io.Writer) (io.WriteCloser, error) { return brotli.NewWriterLevel(w, quality), nil },
		".gz": func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriterLevel(w, gzip.BestCompression) },
	} {
		var b bytes.Buffer
		w, err := open(&b)
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		if err := errors.Join(err, w.Close()); err != nil {
			return err
		}
		to := filepath.Join(l.dir, filepath.FromSlash(name)+suffix)
		if err := os.RemoveAll(to); err != nil {
			return err
		}
		if b.Len() >= len(data) {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// settle removes the forms of files that are gone, and writes the manifest.
func (l *compressedLayer) settle(was map[string]string) error {
	for name := range was {
		if l.sums[name] != "" {
			continue
		}
		for _, suffix := range []string{".br", ".gz"} {
			if err := os.Remove(filepath.Join(l.dir, filepath.FromSlash(name)+suffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	data, err := json.Marshal(l.sums) // in order, so that the same site makes the same layer
	if err != nil {
		return err
	}
	if err := os.MkdirAll(l.dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(l.dir, manifestFile), data, 0o644)
}
