package docker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/containerd/errdefs"
	containertypes "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"slipway/buildpacks/build"
	"slipway/buildpacks/docker"
	"slipway/internal/dyno"
	"slipway/internal/dyno/launch"
)

// Labels of a dyno's container, beside the instance's.
const (
	labelApp  = "slipway.app"
	labelDyno = "slipway.dyno"
)

// Start implements dyno.Backend.
func (b *Backend) Start(ctx context.Context, spec dyno.Spec, stdio dyno.Stdio) (dyno.Container, error) {
	c := &container{backend: b, name: spec.Name, tty: spec.TTY, ended: make(chan struct{}), copied: make(chan struct{})}
	if err := b.ledger.Enter(c, spec.Slug); err != nil {
		return nil, err
	}
	if err := c.start(ctx, spec, stdio); err != nil {
		return nil, errors.Join(fmt.Errorf("start dyno %s: %w", spec.Name, err), c.Remove(ctx))
	}
	return c, nil
}

func (c *container) start(ctx context.Context, s dyno.Spec, stdio dyno.Stdio) error {
	b := c.backend
	if err := b.Prepare(ctx, s.Slug); err != nil {
		return err
	}
	config, err := b.config(ctx, s, stdio)
	if err != nil {
		return err
	}
	network, err := b.engine.OpenNetwork(ctx, launch.Ports(ctx, b.cfg.Reach, b.log))
	if err != nil {
		return err
	}
	c.network = network.(*docker.Network)
	res, err := b.engine.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config: config, HostConfig: b.hostConfig(c.network.Mode(), s), Name: "slipway-" + b.instance() + "-" + s.ID,
	})
	if err != nil {
		return fmt.Errorf("create container: %w", err)
	}
	c.id = res.ID
	_, err = b.engine.ContainerStatPath(ctx, c.id, client.ContainerStatPathOptions{Path: config.Entrypoint[0]})
	if errdefs.IsNotFound(err) {
		return launch.Missing(s)
	}
	if err != nil {
		return fmt.Errorf("look for process type: %w", err)
	}
	return c.run(ctx, s.Size, stdio)
}

func (b *Backend) config(ctx context.Context, s dyno.Spec, stdio dyno.Stdio) (*containertypes.Config, error) {
	image, err := b.engine.ImageInspect(ctx, launch.Reference(b.cfg.Registry, s.Slug))
	if err != nil {
		return nil, fmt.Errorf("inspect slug: %w", err)
	}
	if image.Config == nil || isRoot(image.Config.User) {
		return nil, launch.ErrRoot
	}
	args, err := launch.Args(s)
	if err != nil {
		return nil, err
	}
	return &containertypes.Config{
		Image:       launch.Reference(b.cfg.Registry, s.Slug),
		Entrypoint:  args[:1],
		Cmd:         args[1:],
		Env:         launch.Environment(image.Config.Env, s),
		Tty:         s.TTY,
		OpenStdin:   stdio.Stdin != nil,
		StdinOnce:   stdio.Stdin != nil,
		AttachStdin: stdio.Stdin != nil, AttachStdout: true, AttachStderr: !s.TTY,
		Labels: map[string]string{build.LabelInstance: b.instance(), labelApp: s.App, labelDyno: s.Name},
	}, nil
}

// isRoot says whether an image's user is root, by its name or number. Other
// names are looked up in the image's own accounts, by the daemon.
func isRoot(user string) bool {
	name, _, _ := strings.Cut(user, ":")
	n, err := strconv.Atoi(name)
	return name == "" || name == "root" || err == nil && n == 0
}

func (b *Backend) hostConfig(mode string, s dyno.Spec) *containertypes.HostConfig {
	yes := true
	limits := b.cfg.Limits
	res := containertypes.Resources{Memory: limits.Memory, MemorySwap: limits.Memory, NanoCPUs: int64(limits.CPUs * 1e9)}
	if limits.Pids > 0 {
		res.PidsLimit = &limits.Pids
	}
	h := &containertypes.HostConfig{
		Init:        &yes,
		NetworkMode: containertypes.NetworkMode(mode),
		CapDrop:     []string{"ALL"},
		SecurityOpt: []string{"no-new-privileges=true"},
		LogConfig:   containertypes.LogConfig{Type: "none"}, // its output is carried
		Resources:   res,
	}
	if s.TTY {
		size := launch.TerminalSize(s.Size)
		h.ConsoleSize = [2]uint{uint(size.Rows), uint(size.Columns)}
	}
	return h
}
