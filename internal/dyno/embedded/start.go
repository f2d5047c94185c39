package embedded

import (
	"context"
	"errors"
	"fmt"

	"slipway/internal/bundle"
	"slipway/internal/dyno"
	"slipway/internal/dyno/launch"
)

// Start implements dyno.Backend.
func (b *Backend) Start(ctx context.Context, spec dyno.Spec, stdio dyno.Stdio) (dyno.Container, error) {
	c := &container{backend: b, copied: make(chan struct{})}
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
	var err error
	if c.image, err = b.images.Acquire(launch.Reference(b.cfg.Registry, s.Slug)); err != nil {
		return err
	}
	if c.network, err = b.nets.Get(ctx, launch.Ports(ctx, b.cfg.Reach, b.log)); err != nil {
		return err
	}
	layers, err := b.images.Layers(ctx, c.image, s.ID)
	if err != nil {
		return err
	}
	c.id = s.ID
	limits := b.cfg.Limits
	c.bundle, err = b.runtime.Create(ctx, bundle.Spec{
		ID:       s.ID,
		Lower:    layers.Lower,
		Dir:      layers.Dir,
		Scratch:  limits.Disk,
		Hostname: s.Name,
		NetNS:    c.network.Path(),
		Mounts:   []bundle.Mount{{Source: b.init, Target: initPath, ReadOnly: true}},
		Files: map[string]string{
			"/etc/hosts":       "127.0.0.1\tlocalhost " + s.Name + "\n",
			"/etc/hostname":    s.Name + "\n",
			"/etc/resolv.conf": c.network.ResolvConf(),
		},
		Limits: bundle.Limits{Memory: limits.Memory, NanoCPUs: int64(limits.CPUs * 1e9), Pids: limits.Pids},
	})
	if err != nil {
		return err
	}
	p, err := c.process(s)
	if err != nil {
		return err
	}
	return c.run(ctx, p, stdio)
}

// run starts the process, which does not end with ctx unless that ends first.
func (c *container) run(ctx context.Context, p bundle.Process, stdio dyno.Stdio) error {
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.cancel = cancel
	stop := context.AfterFunc(ctx, cancel)
	defer stop()
	io, err := c.streams(p, stdio)
	if err != nil {
		return err
	}
	if err := c.bundle.Start(running, p, io); err != nil {
		return err
	}
	c.copy()
	return ctx.Err()
}
