package nodejs

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/buildpacks/libcnb"

	"slipway/buildpacks/bundled/cnb"
)

const (
	downloadsLayer = "downloads"
	// maxUses is how many builds a cache lives: package managers only add to it.
	maxUses = 50
)

// downloads is the cache of a package manager.
type downloads struct {
	dir    string
	uses   int
	launch bool // the app loads packages out of it
}

// packages is where the app's package manager keeps what it downloads.
func (d *downloads) packages() string { return filepath.Join(d.dir, "packages") }

// npm is where npm keeps its own, whichever package manager the app has.
func (d *downloads) npm() string { return filepath.Join(d.dir, "npm") }

func (b *build) openDownloads() (*downloads, error) {
	l, err := b.layers.Layer(downloadsLayer)
	if err != nil {
		return nil, err
	}
	d := &downloads{dir: l.Path}
	text, _ := l.Metadata["uses"].(string)
	d.uses, _ = strconv.Atoi(text)
	if l.Metadata["for"] == b.cacheKey() && d.uses < maxUses && b.env["NODE_MODULES_CACHE"] == "true" && cnb.IsDir(d.dir) {
		return d, nil
	}
	d.uses = 0
	if err := os.RemoveAll(d.dir); err != nil {
		return nil, fmt.Errorf("clear the cache of downloads: %w", err)
	}
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return nil, fmt.Errorf("make a cache of downloads: %w", err)
	}
	return d, nil
}

// cacheKey changes where a cache is of no use any more.
func (b *build) cacheKey() string {
	return fmt.Sprintf("%s %s %d", layout, b.manager.name, b.manager.version.Major())
}

func (b *build) keepDownloads(d *downloads) {
	b.made = append(b.made, &layer{
		name:  downloadsLayer,
		types: libcnb.LayerTypes{Cache: b.env["NODE_MODULES_CACHE"] == "true", Launch: d.launch, Build: d.launch},
		metadata: map[string]any{
			"for": b.cacheKey(), "uses": strconv.Itoa(d.uses + 1),
		},
	})
}
