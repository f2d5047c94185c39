package docker

import (
	"context"
	"fmt"
	"strings"

	"github.com/moby/moby/client"

	"slipway/buildpacks/build"
)

// Leftovers lists what builds of this instance have in the daemon now:
// containers, and volumes but the caches.
func (e *Engine) Leftovers(ctx context.Context) ([]string, error) {
	e.making.Wait() // the spare holder is no leftover
	e.mu.Lock()
	spare := ""
	if e.spare != nil {
		spare = e.spare.id
	}
	e.mu.Unlock()
	var left []string
	list, err := e.ContainerList(ctx, client.ContainerListOptions{
		All: true, Filters: make(client.Filters).Add("label", build.LabelInstance+"="+e.instance),
	})
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	for _, c := range list.Items {
		if c.ID != spare {
			left = append(left, "container "+c.ID)
		}
	}
	volumes, err := e.VolumeList(ctx, client.VolumeListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list volumes: %w", err)
	}
	for _, v := range volumes.Items {
		if strings.HasPrefix(v.Name, build.BuildVolumePrefix(e.instance)) {
			left = append(left, "volume "+v.Name)
		}
	}
	return left, nil
}
