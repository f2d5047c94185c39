package bundle

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strconv"

	"golang.org/x/sys/unix"
)

// A Root resolves paths as a process inside a container would after chroot:
// no "..", absolute link or mount leads out of it, whatever other processes
// do to the tree meanwhile. It is an open directory; close it.
type Root struct{ dir *os.File }

// OpenRoot opens the directory at path.
func OpenRoot(path string) (*Root, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return &Root{dir: os.NewFile(uintptr(fd), path)}, nil
}

// Close closes the directory.
func (r *Root) Close() error { return r.dir.Close() }

// Open opens name with the open(2) flags. Links are followed inside the root
// unless flags has O_NOFOLLOW.
func (r *Root) Open(name string, flags int, mode uint32) (*os.File, error) {
	how := unix.OpenHow{
		Flags:   uint64(flags) | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	}
	if flags&unix.O_CREAT != 0 {
		how.Mode = uint64(mode)
	}
	for {
		fd, err := unix.Openat2(int(r.dir.Fd()), name, &how)
		switch {
		case err == nil:
			return os.NewFile(uintptr(fd), name), nil
		case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
			// Somebody renamed a directory on the way; try again.
		default:
			return nil, &os.PathError{Op: "open", Path: name, Err: err}
		}
	}
}

// OpenPath opens name itself, for use with the at-calls.
func (r *Root) OpenPath(name string) (*os.File, error) { return r.Open(name, unix.O_PATH, 0) }

// OpenParent opens the directory that holds name and returns it with name's
// last element. Links on the way are followed; name itself is not looked at.
func (r *Root) OpenParent(name string) (*os.File, string, error) {
	dir, base := path.Split(path.Clean("/" + name))
	if base == "" {
		return nil, "", &os.PathError{Op: "open", Path: name, Err: unix.EISDIR}
	}
	f, err := r.Open(dir, unix.O_PATH|unix.O_DIRECTORY, 0)
	return f, base, err
}

// MkdirAll makes name and its missing parents, and opens it.
func (r *Root) MkdirAll(name string, mode uint32) (*os.File, error) {
	name = path.Clean("/" + name)
	f, err := r.Open(name, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err == nil || !errors.Is(err, unix.ENOENT) {
		return f, err
	}
	parent, err := r.MkdirAll(path.Dir(name), mode)
	if err != nil {
		return nil, err
	}
	defer parent.Close() //nolint:errcheck // only read
	err = unix.Mkdirat(int(parent.Fd()), path.Base(name), mode)
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, &os.PathError{Op: "mkdir", Path: name, Err: err}
	}
	return r.Open(name, unix.O_PATH|unix.O_DIRECTORY, 0)
}

// fdPath names an open file so that calls which want a path reach exactly it.
func fdPath(f *os.File) string { return "/proc/self/fd/" + strconv.Itoa(int(f.Fd())) }

// supportsOpenat2 fails on a kernel that cannot resolve paths safely.
func supportsOpenat2() error {
	r, err := OpenRoot("/")
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // only read
	f, err := r.OpenPath("/")
	if err != nil {
		return fmt.Errorf("this kernel is too old, Linux 5.6 is needed: %w", err)
	}
	return f.Close()
}
