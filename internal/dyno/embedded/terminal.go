package embedded

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"slipway/internal/bundle"
	"slipway/internal/dyno"
)

// endOfFile is what a terminal takes for the end of its input, at the start
// of a line; elsewhere it only ends what is waited for.
const endOfFile = 4

// streams are what the process gets. With a terminal, we keep the caller's
// ends to copy from and to.
func (c *container) streams(p bundle.Process, s dyno.Stdio) (bundle.Stdio, error) {
	if p.Terminal == nil {
		return bundle.Stdio{Stdin: s.Stdin, Stdout: s.Stdout, Stderr: s.Stderr}, nil
	}
	var err error
	if c.stdin, err = duplicate(s.Stdin); err != nil {
		return bundle.Stdio{}, err
	}
	c.stdout, err = duplicate(s.Stdout)
	return bundle.Stdio{}, err
}

// duplicate makes a file whose Close ends a Read or Write that waits.
func duplicate(f *os.File) (*os.File, error) {
	if f == nil {
		return nil, nil
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("take over stream: %w", err)
	}
	var (
		fd   int
		derr error
	)
	err = conn.Control(func(from uintptr) {
		if fd, derr = unix.FcntlInt(from, unix.F_DUPFD_CLOEXEC, 0); derr == nil {
			derr = unix.SetNonblock(fd, true)
		}
	})
	if err == nil {
		err = derr
	}
	if err != nil {
		return nil, fmt.Errorf("take over stream: %w", err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// copy starts to copy between the terminal, if there is one, and the caller's
// ends.
func (c *container) copy() {
	term := c.bundle.Terminal()
	if term == nil {
		close(c.copied)
		return
	}
	c.copying.Go(func() {
		defer close(c.copied)
		if c.stdout != nil {
			_, _ = io.Copy(c.stdout, term) // ends with an error always
			_ = c.stdout.Close()           // so that its reader sees the end
		}
		// A process whose reader has left must not wait for it.
		_, _ = io.Copy(io.Discard, term)
	})
	if c.stdin != nil {
		c.copying.Go(func() { copyInput(term, c.stdin) })
	}
}

// copyInput copies until the input ends, and then says so as a terminal does.
func copyInput(term io.Writer, stdin io.Reader) {
	last := &lastByte{w: term, b: '\n'}
	if _, err := io.Copy(last, stdin); err != nil {
		return // the terminal or the container is gone
	}
	end := []byte{endOfFile}
	if last.b != '\n' && last.b != '\r' && last.b != endOfFile {
		end = append(end, endOfFile)
	}
	_, _ = term.Write(end)
}

// lastByte remembers what was written last.
type lastByte struct {
	w io.Writer
	b byte
}

func (l *lastByte) Write(p []byte) (int, error) {
	if len(p) > 0 {
		l.b = p[len(p)-1]
	}
	return l.w.Write(p)
}

func (c *container) stopCopying() {
	for _, f := range []*os.File{c.stdin, c.stdout} {
		if f != nil {
			_ = f.Close() // it may be closed
		}
	}
}
