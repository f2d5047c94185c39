package bundle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
)

// recoverTimeout bounds how long Open waits for left processes to die.
const recoverTimeout = 10 * time.Second

// recoverParallel bounds how many left containers are removed at once.
const recoverParallel = 16

// recover kills and removes what a killed predecessor left. Nobody else uses
// the directory and the cgroup, so all that is there is ours.
func (r *Runtime) recover(ctx context.Context) error {
	if err := supportsOpenat2(); err != nil {
		return err
	}
	// Each takes a moment to die, or to be unmounted; a hundred must not take
	// a hundred.
	var left errgroup.Group
	left.SetLimit(recoverParallel)
	for _, id := range r.cgroups.list() {
		r.log.Warn("left container found", zap.String("container", id))
		left.Go(func() error { return r.killLeft(ctx, id) })
	}
	if err := left.Wait(); err != nil {
		return err
	}
	entries, err := os.ReadDir(filepath.Join(r.dir, "run"))
	if err != nil {
		return fmt.Errorf("list containers: %w", err)
	}
	for _, e := range entries {
		left.Go(func() error { return r.removeLeft(e.Name()) })
	}
	if err := left.Wait(); err != nil {
		return err
	}
	state := filepath.Join(r.dir, "state")
	if err := os.RemoveAll(state); err != nil {
		return fmt.Errorf("remove runc state: %w", err)
	}
	return os.Mkdir(state, 0o711)
}

func (r *Runtime) removeLeft(name string) error {
	dir := filepath.Join(r.dir, "run", name)
	if err := unmountAll(dir); err != nil {
		return err
	}
	// Renamed rather than deleted: Open does not wait for big trees.
	to := filepath.Join(r.dir, "trash", "left-"+name+"-"+fmt.Sprint(time.Now().UnixNano()))
	if err := os.Rename(dir, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove container: %w", err)
	}
	return nil
}

func (r *Runtime) killLeft(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, recoverTimeout)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		r.cgroups.kill(id)
		err := r.cgroups.remove(id)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("kill left container %s: %w", id, err)
		}
	}
}
