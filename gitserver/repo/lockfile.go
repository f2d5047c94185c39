package repo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// locksDir holds a second name of every lock file of ours. C git's lock files
// have only one, so that after a crash ours can be told from those of a git
// that is still at work.
const locksDir = "slipway-locks"

// A lockFile keeps everybody else, C git included, from changing a file. It
// holds the file's next content, durably.
type lockFile struct {
	path string // of the file
	twin string // the lock file's second name; "" if the file system has no links
}

// lock takes the lock of the file at path, waiting for another holder until
// ctx is done.
func (r *Repo) lock(ctx context.Context, path string, content []byte) (*lockFile, error) {
	twin, err := r.writeTwin(content)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	l := &lockFile{path: path, twin: twin}
	if err := l.take(ctx, r.dir); err != nil {
		return nil, errors.Join(err, os.Remove(twin))
	}
	return l, nil
}

func (r *Repo) writeTwin(content []byte) (string, error) {
	dir := r.path(locksDir)
	f, err := os.CreateTemp(dir, "lock-")
	if isNotExist(err) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		f, err = os.CreateTemp(dir, "lock-")
	}
	if err != nil {
		return "", err
	}
	if _, err = f.Write(content); err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil && len(content) > 0 && !r.o.NoSync {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// take makes the lock file appear. Directories above it may be removed by
// others in between.
func (l *lockFile) take(ctx context.Context, root string) error {
	const tries = 10
	wait := time.Millisecond
	for made := 0; ; {
		err := os.Link(l.twin, l.path+lockSuffix)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, fs.ErrExist):
			if err := pause(ctx, wait); err != nil {
				rel, _ := filepath.Rel(root, l.path) // both are absolute or both are not
				return fmt.Errorf("%w: %s.lock exists; if no git is running, remove it", ErrRefLocked, rel)
			}
			wait = min(2*wait, 100*time.Millisecond)
		case isNotExist(err) && made < tries:
			made++
			err := os.MkdirAll(filepath.Dir(l.path), 0o755)
			if err != nil && !isNotExist(err) {
				return err
			}
		default:
			return err
		}
	}
}

// pause waits, or says that ctx is done.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// commit puts the content in place and lets go. Empty directories in the
// file's place give way.
func (l *lockFile) commit() error {
	err := os.Rename(l.path+lockSuffix, l.path)
	for range 3 {
		if !errors.Is(err, syscall.EISDIR) && !isNotEmpty(err) && !errors.Is(err, fs.ErrExist) {
			break
		}
		if rerr := removeEmptyDirs(l.path); rerr != nil {
			return errors.Join(err, rerr, l.release())
		}
		err = os.Rename(l.path+lockSuffix, l.path)
	}
	if err != nil {
		return errors.Join(err, l.release())
	}
	return os.Remove(l.twin)
}

// release lets go without a change.
func (l *lockFile) release() error {
	err := os.Remove(l.path + lockSuffix)
	return errors.Join(err, os.Remove(l.twin))
}

// removeEmptyDirs removes a directory that holds nothing but empty ones.
func removeEmptyDirs(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		if isNotExist(err) || errors.Is(err, syscall.ENOTDIR) {
			return nil
		}
		return err
	}
	for _, e := range entries {
		if !e.IsDir() {
			return &fs.PathError{Op: "remove", Path: dir, Err: syscall.ENOTEMPTY}
		}
		if err := removeEmptyDirs(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	if err := os.Remove(dir); err != nil && !isNotExist(err) {
		return err
	}
	return nil
}

// sameFile says whether both names are of one file.
func sameFile(a, b fs.FileInfo) bool { return a != nil && b != nil && os.SameFile(a, b) }
