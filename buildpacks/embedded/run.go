package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	containertypes "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"slipway/internal/bundle"
)

const (
	// drainTimeout bounds how long an exit code waits for a reader that
	// has stopped to read output.
	drainTimeout = 10 * time.Second
	// settle lets a reader who has seen the end of the output write out
	// what it holds back, before it hears of a failure: pack's handler
	// forgets about the output once it does.
	settle = 5 * time.Millisecond
)

// ContainerStart implements DockerClient. The container is killed when ctx
// ends.
func (e *Engine) ContainerStart(ctx context.Context, id string, _ client.ContainerStartOptions) (client.ContainerStartResult, error) {
	c, err := e.container(id)
	if err == nil {
		err = c.start(ctx)
	}
	return client.ContainerStartResult{}, err
}

func (c *container) start(ctx context.Context) error {
	c.mu.Lock()
	if c.state != containertypes.StateCreated {
		c.mu.Unlock()
		return conflict("container %s was started before", c.id)
	}
	c.state = containertypes.StateRunning
	c.started = time.Now()
	c.mu.Unlock()
	outR, outW, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start container: %w", err)
	}
	errR, errW, err := os.Pipe()
	if err != nil {
		return errors.Join(fmt.Errorf("start container: %w", err), outR.Close(), outW.Close())
	}
	var copying sync.WaitGroup
	copying.Go(func() { c.copyOutput(streamStdout, outR) })
	copying.Go(func() { c.copyOutput(streamStderr, errR) })
	err = c.bundle.Start(ctx, c.process, bundle.Stdio{Stdout: outW, Stderr: errW})
	_, _ = outW.Close(), errW.Close() // the write ends of pipes
	if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		copying.Wait()
		c.finish(-1, err)
		return err
	}
	go c.watch(ctx, &copying)
	return err
}

// watch tells the exit code when all output has been read.
func (c *container) watch(ctx context.Context, copying *sync.WaitGroup) {
	// Wait for the end itself, which follows the end of ctx.
	code, err := c.bundle.Wait(context.WithoutCancel(ctx))
	copying.Wait()
	c.endStreams()
	deadline := time.NewTimer(drainTimeout)
	defer deadline.Stop()
	read := false
	for _, s := range c.attached() {
		select {
		case <-s.drained:
			read = true
		case <-deadline.C:
		}
	}
	if read && code != 0 {
		t := time.NewTimer(settle)
		defer t.Stop()
		<-t.C
	}
	c.finish(code, err)
}

func (c *container) finish(code int, err error) {
	c.mu.Lock()
	c.state = containertypes.StateExited
	c.finished = time.Now()
	c.code, c.err = code, err
	c.mu.Unlock()
	c.endStreams()
	close(c.done)
}

// abandon ends the wait for a container that never started.
func (c *container) abandon() {
	c.mu.Lock()
	created := c.state == containertypes.StateCreated
	if created {
		c.state = containertypes.StateExited
	}
	c.mu.Unlock()
	if created {
		c.finish(-1, conflict("container %s was removed", c.id))
	}
}

// ContainerWait implements DockerClient. An exit code is told only after the
// attached streams have been read to their end or closed, so that a caller who
// stops listening on failure has seen the reason.
func (e *Engine) ContainerWait(ctx context.Context, id string, o client.ContainerWaitOptions) client.ContainerWaitResult {
	result := make(chan containertypes.WaitResponse, 1)
	failed := make(chan error, 1)
	out := client.ContainerWaitResult{Result: result, Error: failed}
	c, err := e.container(id)
	if err != nil {
		failed <- err
		return out
	}
	c.mu.Lock()
	created := c.state == containertypes.StateCreated
	c.mu.Unlock()
	if created && (o.Condition == "" || o.Condition == containertypes.WaitConditionNotRunning) {
		result <- containertypes.WaitResponse{}
		return out
	}
	go func() {
		select {
		case <-c.done:
		case <-ctx.Done():
			failed <- ctx.Err()
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.err != nil {
			failed <- c.err
			return
		}
		result <- containertypes.WaitResponse{StatusCode: int64(c.code)}
	}()
	return out
}

// ContainerInspect implements DockerClient.
func (e *Engine) ContainerInspect(ctx context.Context, id string, _ client.ContainerInspectOptions) (client.ContainerInspectResult, error) {
	c, err := e.container(id)
	if err != nil {
		return client.ContainerInspectResult{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	state := &containertypes.State{
		Status:    c.state,
		Running:   c.state == containertypes.StateRunning,
		OOMKilled: c.state == containertypes.StateExited && c.bundle.OOMKilled(),
		ExitCode:  c.code,
		StartedAt: stamp(c.started), FinishedAt: stamp(c.finished),
	}
	if state.Running {
		state.Pid = c.bundle.Pid()
	}
	if c.err != nil {
		state.Error = c.err.Error()
	}
	out := containertypes.InspectResponse{
		ID:         c.id,
		Name:       "/" + c.id[:12],
		Created:    stamp(c.created),
		Image:      c.image.ID.String(),
		Driver:     e.images.Driver(),
		State:      state,
		Config:     c.config,
		HostConfig: c.host,
	}
	for _, b := range c.binds {
		out.Mounts = append(out.Mounts, containertypes.MountPoint{
			Type: b.point(), Name: b.volume, Source: b.Source, Destination: b.Target, RW: !b.ReadOnly,
		})
	}
	return client.ContainerInspectResult{Container: out}, ctx.Err()
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
