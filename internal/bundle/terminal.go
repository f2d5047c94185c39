package bundle

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// A Size is that of a terminal, in characters.
type Size struct{ Columns, Rows uint16 }

// A terminal is a pair of pseudo-terminal ends, of which runc gets one. It
// copies between that and a second pair, whose ends are the process's and its
// own: so the process finds its terminal in its own /dev/pts, and runc can
// still be waited for.
type terminal struct {
	ours  *os.File
	runcs *os.File
}

func openTerminal(size Size) (*terminal, error) {
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("open terminal: %w", err)
	}
	t := &terminal{ours: ours}
	if err := t.setUp(size); err != nil {
		return nil, errors.Join(fmt.Errorf("open terminal: %w", err), ours.Close())
	}
	return t, nil
}

func (t *terminal) setUp(size Size) error {
	var peer uintptr
	err := onFile(t.ours, func(fd int) error {
		if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
			return err
		}
		if err := makeRaw(fd); err != nil {
			return err
		}
		// Not by its name, which is another in another mount namespace.
		var errno unix.Errno
		peer, _, errno = unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
		if errno != 0 {
			return errno
		}
		return nil
	})
	if err != nil {
		return err
	}
	t.runcs = os.NewFile(peer, "terminal")
	if err := t.resize(size); err != nil {
		return errors.Join(err, t.runcs.Close())
	}
	return nil
}

// makeRaw makes a terminal pass on what it gets: the one in the container does
// what terminals do. But the ends of lines it makes, since runc turns that off
// there.
func makeRaw(fd int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Oflag |= unix.OPOST | unix.ONLCR
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(fd, unix.TCSETS, t)
}

func (t *terminal) resize(s Size) error {
	return onFile(t.ours, func(fd int) error {
		return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: s.Rows, Col: s.Columns})
	})
}

// onFile calls fn with a file's number and leaves the file as it is, which Fd
// would not.
func onFile(f *os.File, fn func(fd int) error) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := conn.Control(func(fd uintptr) { inner = fn(int(fd)) }); err != nil {
		return err
	}
	return inner
}

// Terminal is our end of the terminal of a process that was started with one;
// else nil. Reading gives what the process writes, and an error (EIO) when every
// process has ended. Remove closes it.
func (c *Container) Terminal() *os.File {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.term == nil {
		return nil
	}
	return c.term.ours
}

// Resize sets the size of the terminal, if there is one, and tells the
// processes.
func (c *Container) Resize(s Size) error {
	c.mu.Lock()
	term := c.term
	c.mu.Unlock()
	if term == nil {
		return nil
	}
	// runc leads the session of its end, so the kernel tells it.
	if err := term.resize(s); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("resize terminal: %w", err)
	}
	return nil
}
