package docker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/containerd/errdefs"
	containertypes "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"slipway/buildpacks/docker"
	"slipway/internal/bundle"
	"slipway/internal/dyno"
	"slipway/internal/dyno/launch"
)

// removeTimeout bounds how long the daemon may take to remove a dyno.
const removeTimeout = time.Minute

// A container is one dyno from Start to Remove.
type container struct {
	backend *Backend
	name    string
	tty     bool
	id      string // "" before it is created
	network *docker.Network
	cancel  context.CancelFunc
	conn    *client.HijackedResponse

	stdin, stdout, stderr *os.File // ours to copy from and to

	work   sync.WaitGroup
	ended  chan struct{} // closed when exit is set
	copied chan struct{} // closed when all output is written
	exit   dyno.Exit
	filled atomic.Bool // it wrote more than it may
	err    error       // of waiting

	removing sync.Once
	failed   error // of removing
}

// run starts the container, whose streams are attached before.
func (c *container) run(ctx context.Context, size dyno.Size, stdio dyno.Stdio) error {
	b := c.backend
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.cancel = cancel
	if err := c.attach(running, stdio); err != nil {
		return err
	}
	waiting := b.engine.ContainerWait(running, c.id, client.ContainerWaitOptions{Condition: containertypes.WaitConditionNextExit})
	c.work.Go(func() { c.await(running, waiting) })
	if _, err := b.engine.ContainerStart(ctx, c.id, client.ContainerStartOptions{}); err != nil {
		return fmt.Errorf("start container: %w", err)
	}
	if b.cfg.Limits.Disk > 0 {
		c.work.Go(func() { c.watchDisk(running) })
	}
	// Older daemons do not set the size that a container is created with.
	return c.Resize(ctx, size)
}

// await waits for the daemon to tell how the container ended.
func (c *container) await(ctx context.Context, waiting client.ContainerWaitResult) {
	defer close(c.ended)
	select {
	case res := <-waiting.Result:
		c.exit.Code = int(res.StatusCode)
		if res.Error != nil {
			c.err = errors.New(res.Error.Message)
		}
	case c.err = <-waiting.Error:
		return
	}
	c.exit.OverDisk = c.filled.Load()
	info, err := c.backend.engine.ContainerInspect(ctx, c.id, client.ContainerInspectOptions{})
	if err == nil && info.Container.State != nil {
		c.exit.OOMKilled = info.Container.State.OOMKilled
	}
}

// Wait implements dyno.Container.
func (c *container) Wait(ctx context.Context) (dyno.Exit, error) {
	for _, done := range []chan struct{}{c.ended, c.copied} {
		select {
		case <-done:
		case <-ctx.Done():
			return dyno.Exit{Code: -1}, ctx.Err()
		}
	}
	return c.exit, c.err
}

// Terminate implements dyno.Container.
func (c *container) Terminate(ctx context.Context) error {
	info, err := c.backend.engine.ContainerInspect(ctx, c.id, client.ContainerInspectOptions{})
	if err == nil && info.Container.State != nil && info.Container.State.Pid > 0 {
		err = bundle.AwaitHandler(ctx, info.Container.State.Pid, syscall.SIGTERM, c.ended)
	}
	if err == nil {
		_, err = c.backend.engine.ContainerKill(ctx, c.id, client.ContainerKillOptions{Signal: "SIGTERM"})
	}
	return unlessGone("terminate", err)
}

// unlessGone drops the errors that say that a container does not run any more.
func unlessGone(what string, err error) error {
	if err == nil || errdefs.IsNotFound(err) || errdefs.IsConflict(err) {
		return nil
	}
	return fmt.Errorf("%s container: %w", what, err)
}

// Dial implements dyno.Container.
func (c *container) Dial(ctx context.Context, port uint16) (net.Conn, error) {
	return c.network.Dial(ctx, port)
}

// Resize implements dyno.Container.
func (c *container) Resize(ctx context.Context, size dyno.Size) error {
	if !c.tty {
		return nil
	}
	select {
	case <-c.ended:
		return nil
	default:
	}
	size = launch.TerminalSize(size)
	_, err := c.backend.engine.ContainerResize(ctx, c.id, client.ContainerResizeOptions{Height: uint(size.Rows), Width: uint(size.Columns)})
	return unlessGone("resize", err)
}

// Remove implements dyno.Container. It goes on when ctx ends; whoever comes
// second waits for the first.
func (c *container) Remove(ctx context.Context) error {
	c.removing.Do(func() { c.failed = c.remove(context.WithoutCancel(ctx)) })
	return c.failed
}

// remove gives back what start took, however far that came.
func (c *container) remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, removeTimeout)
	defer cancel()
	var errs []error
	launch.Close(c.stdin, c.stdout, c.stderr)
	if c.id != "" {
		_, err := c.backend.engine.ContainerRemove(ctx, c.id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		if err != nil && !errdefs.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("remove container: %w", err))
		}
	}
	if c.cancel != nil {
		c.cancel()
	}
	if c.conn != nil {
		c.conn.Close()
	}
	c.work.Wait()
	if c.network != nil {
		errs = append(errs, c.network.Close()) //nolint:contextcheck // the engine keeps its own
	}
	c.backend.ledger.Leave(c)
	return errors.Join(errs...)
}
