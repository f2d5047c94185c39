package repo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// ownDir holds what this package keeps in a repository for itself; git takes
// no notice of it.
const ownDir = "slipway"

// Files in ownDir that are locked by flock(2), which also works between
// processes and ends with them.
const (
	// pushesLock is shared by those who rely on objects that no reference may
	// lead to: a push from its first byte until its references have moved. Who
	// holds it alone may remove such objects.
	pushesLock = "pushes"
	// upkeepLock is held alone by the one who joins or removes packs.
	upkeepLock = "upkeep"
)

// A flocked file is locked until it is closed.
type flocked struct{ f *os.File }

// Close lets go. Closing the file alone does not where a process is just being
// started, which has it open for a moment, too.
func (l *flocked) Close() error {
	err := unix.Flock(int(l.f.Fd()), unix.LOCK_UN)
	return errors.Join(err, l.f.Close())
}

// flock locks a file of ownDir, shared or alone, and waits as long as ctx
// allows. The error is ErrBusy then.
func (r *Repo) flock(ctx context.Context, name string, how int) (*flocked, error) {
	path := r.path(ownDir + "/" + name)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if isNotExist(err) {
		// Not with its parents: the repository may just have been removed.
		if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, err
		}
		f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	}
	if err != nil {
		return nil, err
	}
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		switch {
		case err == nil:
			return &flocked{f}, nil
		case errors.Is(err, unix.EINTR):
		case !errors.Is(err, unix.EWOULDBLOCK):
			return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
		default:
			if perr := pause(ctx, wait); perr != nil {
				return nil, errors.Join(fmt.Errorf("%w: %s is locked", ErrBusy, path), f.Close())
			}
		}
	}
}

// lease shares the lock of pushes until it is closed.
func (r *Repo) lease(ctx context.Context) (*flocked, error) {
	ctx, cancel := context.WithTimeout(ctx, r.o.LockTimeout)
	defer cancel()
	for {
		f, err := r.flock(ctx, pushesLock, unix.LOCK_SH)
		if err != nil {
			return nil, err
		}
		if _, err := os.Lstat(r.path(sweepJournal)); isNotExist(err) {
			return f, nil
		}
		// A sweep was killed halfway: what it was about to remove must not be
		// relied on.
		if err := errors.Join(f.Close(), r.endSweep(ctx)); err != nil {
			return nil, err
		}
	}
}

// lockUpkeep keeps others from repacking. It does not wait.
func (r *Repo) lockUpkeep(ctx context.Context) (*flocked, error) {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	f, err := r.flock(ctx, upkeepLock, unix.LOCK_EX)
	if err != nil {
		return nil, err
	}
	if err := r.gcRuns(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// gcRuns is ErrBusy while a `git gc` is at work, which says so in a file. What
// it has chosen to remove must not be put into a new pack behind its back.
func (r *Repo) gcRuns() error {
	// As C git: a file this old, or of a process that is no more, was left by a crash.
	const stale = 12 * time.Hour
	path := r.path("gc.pid")
	st, err := os.Stat(path)
	if err != nil || time.Since(st.ModTime()) > stale {
		return nil //nolint:nilerr // no file, no gc
	}
	var pid int
	var host string
	if b, err := os.ReadFile(path); err == nil {
		if _, err := fmt.Sscanf(string(b), "%d %s", &pid, &host); err == nil {
			ours, err := os.Hostname()
			if err == nil && ours == host && errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
				return nil
			}
		}
	}
	return fmt.Errorf("%w: git gc is at work", ErrBusy)
}
