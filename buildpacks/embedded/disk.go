package embedded

import (
	"context"

	"slipway/internal/disk"
)

// DiskDir is the engine's directory.
func (e *Engine) DiskDir() string { return e.dir }

// DiskUsage measures what a container has written, and the volumes that it may
// write to. With the native snapshotter that includes its copy of the image.
func (e *Engine) DiskUsage(ctx context.Context, id string) (disk.Usage, error) {
	c, err := e.container(id)
	if err != nil {
		return disk.Usage{}, err
	}
	dirs := []string{c.bundle.Written()}
	for _, b := range c.binds {
		if b.volume != "" && !b.ReadOnly {
			dirs = append(dirs, b.Source)
		}
	}
	return disk.Of(ctx, dirs...)
}
