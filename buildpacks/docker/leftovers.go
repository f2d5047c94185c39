package docker

import (
	"context"
	"fmt"
	"strings"

	"github.com/moby/moby/client"

	"slipway/buildpacks/build"
)

// Leftovers lists what builds of this instance have in the daemon now:
// containers but idle holders, and volumes but caches.
func (e *Engine) Leftovers(ctx context.Context) ([]string, error) {
	e.mu.Lock()
	idle := make(map[string]bool)
	for _, h := range e.idle {
		idle[h.id] = true
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
		if !idle[c.ID] {
			left = append(left, "container "+c.ID)
		}
	}
	volumes, err := e.VolumeList(ctx, client.VolumeListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list volumes: %w", err)
	}
	for _, v := range volumes.Items {
		if strings.HasPrefix(v.Name, build.VolumePrefix(e.instance)) {
			left = append(left, "volume "+v.Name)
		}
	}
	return left, nil
}
