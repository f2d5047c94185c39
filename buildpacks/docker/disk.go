package docker

import (
	"context"
	"fmt"

	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"slipway/internal/disk"
)

// DiskDir is the daemon's directory.
func (e *Engine) DiskDir() string { return e.root }

// DiskUsage measures what a container has written, and the volumes that it may
// write to. The daemon's files are on this machine, as its containers are.
func (e *Engine) DiskUsage(ctx context.Context, id string) (disk.Usage, error) {
	res, err := e.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return disk.Usage{}, fmt.Errorf("inspect container: %w", err)
	}
	var dirs []string
	for _, m := range res.Container.Mounts {
		if m.Type == mount.TypeVolume && m.RW {
			dirs = append(dirs, m.Source)
		}
	}
	upper := ""
	if d := res.Container.GraphDriver; d != nil {
		upper = d.Data["UpperDir"]
	}
	if upper != "" {
		return disk.Of(ctx, append(dirs, upper)...)
	}
	used, err := disk.Of(ctx, dirs...)
	if err != nil {
		return used, err
	}
	// Drivers but overlay2 do not tell where, but how much.
	res, err = e.ContainerInspect(ctx, id, client.ContainerInspectOptions{Size: true})
	if err != nil {
		return used, fmt.Errorf("measure container: %w", err)
	}
	if res.Container.SizeRw != nil {
		used.Bytes += *res.Container.SizeRw
	}
	return used, nil
}
