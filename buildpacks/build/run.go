package build

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// drainFor bounds how long output is awaited after a container has ended, and
// how long an engine may take to notice that its caller has gone.
const drainFor = 2 * time.Second

// A run is one run of a container. Pack is shown a stream without output that
// ends when the container has, with the container's failure as its error.
// That way pack sees the exit after the last line of output and not before,
// gets the exit code as a value and not as text, and leaks no goroutine:
// pack's handler leaves one behind for every exit code it sees itself.
type run struct {
	done chan struct{} // closed when err is final
	err  error         // io.EOF for success

	attached client.ContainerAttachResult
	wait     client.ContainerWaitResult
	cancel   context.CancelFunc // ends wait
}

func newRun() *run { return &run{done: make(chan struct{})} }

// end settles the run's outcome. It is called once.
func (r *run) end(err error) {
	if err == nil {
		err = io.EOF
	}
	r.err = err
	close(r.done)
}

// Read implements [io.Reader] for pack.
func (r *run) Read([]byte) (int, error) {
	<-r.done
	return 0, r.err
}

// attachResult is what pack gets.
func (r *run) attachResult() client.ContainerAttachResult {
	return client.ContainerAttachResult{HijackedResponse: client.HijackedResponse{Conn: noConn{}, Reader: bufio.NewReader(r)}}
}

// follow carries output to out and errOut until the container has ended, and
// returns its exit code.
func (r *run) follow(ctx context.Context, out, errOut io.WriteCloser) (int, error) {
	defer r.cancel()
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = stdcopy.StdCopy(out, errOut, r.attached.Reader) // a torn stream shows in the exit code, or not at all
		_, _ = out.Close(), errOut.Close()                     // a lineWriter's never fails
	}()
	code, err := r.exit(ctx)
	if err == nil {
		drained := time.NewTimer(drainFor)
		select {
		case <-copied:
		case <-ctx.Done():
		case <-drained.C:
		}
		drained.Stop()
	}
	r.attached.Close()
	<-copied
	return code, err
}

func (r *run) exit(ctx context.Context) (int, error) {
	select {
	case w := <-r.wait.Result:
		return waited(w)
	case err := <-r.wait.Error:
		return 0, firstError(ctx.Err(), err)
	case <-ctx.Done():
	}
	// Engines deliver either a result or an error. Take it, so that theirs
	// need not wait for a reader.
	r.cancel()
	late := time.NewTimer(drainFor)
	defer late.Stop()
	select {
	case <-r.wait.Result:
	case <-r.wait.Error: //nolint:errcheck // ctx ended the wait, and says why
	case <-late.C:
	}
	return 0, ctx.Err()
}

func waited(w container.WaitResponse) (int, error) {
	if w.Error != nil {
		return 0, errors.New(w.Error.Message)
	}
	return int(w.StatusCode), nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return errors.New("engine lost the container")
}

// noConn stands for the connection of an attached container.
type noConn struct{ net.Conn }

func (noConn) Close() error { return nil }
