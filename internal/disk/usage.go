package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// deepest bounds the folders within folders, each of which is held open.
const deepest = 1024

// readAtOnce is how many names of a folder are held in memory.
const readAtOnce = 1024

// ErrTooDeep is a directory with more folders within folders than are followed.
var ErrTooDeep = errors.New("folders are nested too deeply")

// Usage is an amount of disk.
type Usage struct {
	Bytes int64 // as allocated, not as files say
	Files int64 // files, folders and all else that has an inode
}

// Of measures directories, themselves included. Those that do not exist, or
// vanish meanwhile, count nothing. A file with several names counts once.
// Links are not followed.
func Of(ctx context.Context, dirs ...string) (Usage, error) {
	w := walk{linked: make(map[inode]bool)}
	for _, dir := range dirs {
		if err := w.add(ctx, unix.AT_FDCWD, dir, 0); err != nil {
			return w.sum, fmt.Errorf("measure %s: %w", dir, err)
		}
	}
	return w.sum, nil
}

type inode struct{ dev, ino uint64 }

type walk struct {
	sum    Usage
	linked map[inode]bool // files with several names
}

// add counts what has a name in the open folder parent.
func (w *walk) add(ctx context.Context, parent int, name string, depth int) error {
	var st unix.Stat_t
	if err := unix.Fstatat(parent, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return unlessGone(err)
	}
	isDir := st.Mode&unix.S_IFMT == unix.S_IFDIR
	if !isDir && st.Nlink > 1 {
		key := inode{st.Dev, st.Ino}
		if w.linked[key] {
			return nil
		}
		w.linked[key] = true
	}
	w.sum.Bytes += st.Blocks * 512
	w.sum.Files++
	if !isDir {
		return nil
	}
	if depth == deepest {
		return ErrTooDeep
	}
	// Another name may stand there by now: of a pipe, or of a link out.
	fd, err := unix.Openat(parent, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return unlessGone(err)
	}
	dir := os.NewFile(uintptr(fd), name)
	defer dir.Close() //nolint:errcheck // only read
	return w.list(ctx, dir, depth)
}

func (w *walk) list(ctx context.Context, dir *os.File, depth int) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		names, err := dir.Readdirnames(readAtOnce)
		for _, name := range names {
			if err := w.add(ctx, int(dir.Fd()), name, depth+1); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return unlessGone(err)
		}
	}
}

// unlessGone drops the errors of what was removed or replaced meanwhile.
func unlessGone(err error) error {
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		return nil
	}
	return err
}
