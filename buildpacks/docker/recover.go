package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"go.uber.org/zap"

	"slipway/buildpacks/build"
)

// recover removes containers and volumes that a killed server left.
func (e *Engine) recover(ctx context.Context) error {
	list, err := e.ContainerList(ctx, client.ContainerListOptions{
		All: true, Filters: make(client.Filters).Add("label", build.LabelInstance+"="+e.instance),
	})
	if err != nil {
		return fmt.Errorf("list leftover containers: %w", err)
	}
	var errs []error
	for _, c := range list.Items {
		e.log.Info("removing leftover container", zap.String("container", c.ID), zap.String("build", c.Labels[build.LabelBuild]))
		_, err := e.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		if !errdefs.IsNotFound(err) { // somebody was faster
			errs = append(errs, err)
		}
	}
	prefix := build.VolumePrefix(e.instance)
	volumes, err := e.VolumeList(ctx, client.VolumeListOptions{Filters: make(client.Filters).Add("name", prefix)})
	if err != nil {
		return fmt.Errorf("list leftover volumes: %w", err)
	}
	for _, v := range volumes.Items {
		if !strings.HasPrefix(v.Name, prefix) { // the filter matches anywhere
			continue
		}
		e.log.Info("removing leftover volume", zap.String("volume", v.Name))
		_, err := e.VolumeRemove(ctx, v.Name, client.VolumeRemoveOptions{Force: true})
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove leftovers: %w", err)
	}
	return nil
}
