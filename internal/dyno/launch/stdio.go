package launch

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// endOfFile is what a terminal takes for the end of its input, at the start
// of a line; elsewhere it only ends what is waited for.
const endOfFile = 4

// Duplicate makes a file, out of an end of a pipe, that outlives the caller's
// and whose Close ends a Read or Write that waits. Of nil it makes nil.
func Duplicate(f *os.File) (*os.File, error) {
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

// Close closes what Duplicate made; what is nil or closed is left alone.
func Close(files ...*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close() // an end of a pipe, maybe closed before
		}
	}
}

// CopyInput copies to a terminal until the input ends, and then says so as one
// who types does.
func CopyInput(term io.Writer, stdin io.Reader) {
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
