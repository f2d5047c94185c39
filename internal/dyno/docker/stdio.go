package docker

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"

	"slipway/internal/dyno"
	"slipway/internal/dyno/launch"
)

// attach carries a container's streams from before it starts.
func (c *container) attach(ctx context.Context, s dyno.Stdio) (err error) {
	for _, end := range []struct {
		ours   **os.File
		theirs *os.File
	}{{&c.stdin, s.Stdin}, {&c.stdout, s.Stdout}, {&c.stderr, s.Stderr}} {
		if *end.ours, err = launch.Duplicate(end.theirs); err != nil {
			return err
		}
	}
	res, err := c.backend.engine.ContainerAttach(ctx, c.id, client.ContainerAttachOptions{
		Stream: true, Stdin: s.Stdin != nil, Stdout: true, Stderr: !c.tty,
	})
	if err != nil {
		return fmt.Errorf("attach to container: %w", err)
	}
	c.conn = &res.HijackedResponse
	c.work.Go(c.copyOutput)
	if c.stdin != nil {
		c.work.Go(c.copyInput)
	}
	return nil
}

func (c *container) copyOutput() {
	defer close(c.copied)
	stdout, stderr := writer(c.stdout), writer(c.stderr)
	if c.tty {
		_, _ = io.Copy(stdout, c.conn.Reader) // it ends with the container, however
	} else {
		_, _ = stdcopy.StdCopy(stdout, stderr, c.conn.Reader)
	}
	launch.Close(c.stdout, c.stderr)
}

func (c *container) copyInput() {
	if c.tty {
		launch.CopyInput(c.conn.Conn, c.stdin)
		return
	}
	if _, err := io.Copy(c.conn.Conn, c.stdin); err == nil {
		_ = c.conn.CloseWrite() // the container may have ended
	}
}

// writer is a stream that goes nowhere once nobody reads it: a process must not
// wait for a reader that has left.
func writer(f *os.File) io.Writer {
	if f == nil {
		return io.Discard
	}
	return &forgiving{f: f}
}

type forgiving struct {
	f    *os.File
	gone bool
}

func (w *forgiving) Write(p []byte) (int, error) {
	if !w.gone {
		_, err := w.f.Write(p)
		w.gone = err != nil
	}
	return len(p), nil
}
