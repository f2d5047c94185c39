package embedded

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"

	"slipway/internal/bundle"
	"slipway/internal/dyno"
	"slipway/internal/dyno/launch"
	"slipway/internal/images"
	"slipway/internal/netns"
)

// A container is one dyno from Start to Remove.
type container struct {
	backend *Backend
	id      string // "" before its layers are made
	image   *images.Image
	network *netns.Namespace
	bundle  *bundle.Container
	cancel  context.CancelFunc

	stdin, stdout *os.File // ours to copy from and to, with a terminal
	copying       sync.WaitGroup
	copied        chan struct{} // closed when all output is written

	removing sync.Once
	failed   error // of removing
}

// Wait implements dyno.Container.
func (c *container) Wait(ctx context.Context) (dyno.Exit, error) {
	code, err := c.bundle.Wait(ctx)
	if err != nil {
		return dyno.Exit{Code: code}, err
	}
	select {
	case <-c.copied:
	case <-ctx.Done():
		return dyno.Exit{Code: code}, ctx.Err()
	}
	return dyno.Exit{Code: code, OOMKilled: c.bundle.OOMKilled()}, nil
}

// Terminate implements dyno.Container.
func (c *container) Terminate(ctx context.Context) error {
	if err := bundle.AwaitHandler(ctx, c.bundle.Pid(), syscall.SIGTERM, c.bundle.Done()); err != nil {
		return err
	}
	return c.bundle.Signal(syscall.SIGTERM)
}

// Dial implements dyno.Container.
func (c *container) Dial(ctx context.Context, port uint16) (net.Conn, error) {
	return c.network.Dial(ctx, port)
}

// Resize implements dyno.Container.
func (c *container) Resize(_ context.Context, size dyno.Size) error {
	return c.bundle.Resize(*terminalSize(size))
}

// Remove implements dyno.Container. It goes on when ctx ends; whoever comes
// second waits for the first.
func (c *container) Remove(ctx context.Context) error {
	c.removing.Do(func() { c.failed = c.remove(context.WithoutCancel(ctx)) })
	return c.failed
}

// remove gives back what start took, however far that came.
func (c *container) remove(ctx context.Context) error {
	var errs []error
	launch.Close(c.stdin, c.stdout)
	if c.bundle != nil {
		errs = append(errs, c.bundle.Remove(ctx)) // bounded by its own time-outs
	}
	if c.cancel != nil {
		c.cancel()
	}
	c.copying.Wait()
	if c.id != "" {
		errs = append(errs, c.backend.images.Drop(ctx, c.id))
	}
	if c.image != nil {
		errs = append(errs, c.backend.images.Release(ctx, c.image))
	}
	if c.network != nil {
		errs = append(errs, c.network.Close())
	}
	c.backend.ledger.Leave(c)
	return errors.Join(errs...)
}
