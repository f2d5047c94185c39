package bundle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// killTimeout bounds how long Kill waits for processes to be gone. SIGKILL
// takes effect within milliseconds unless the kernel itself hangs.
const killTimeout = 10 * time.Second

var goodID = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$`)

// A Container is a mounted root file system and, once started, a process tree.
type Container struct {
	id   string
	dir  string
	rt   *Runtime
	spec Spec
	root *Root

	done chan struct{} // closed when every process has ended
	oom  atomic.Bool

	mu      sync.Mutex
	started bool
	removed bool
	runc    *os.Process // once it runs
	term    *terminal   // of a process that has one
	code    int
	err     error
}

// Create mounts a container's root file system. The caller removes the
// container.
func (r *Runtime) Create(ctx context.Context, s Spec) (*Container, error) {
	if !goodID.MatchString(s.ID) {
		return nil, fmt.Errorf("bad container ID %q", s.ID)
	}
	c := &Container{
		id:   s.ID,
		dir:  filepath.Join(r.dir, "run", s.ID),
		rt:   r,
		spec: s,
		done: make(chan struct{}),
	}
	if err := r.register(c); err != nil {
		return nil, err
	}
	if err := c.prepare(); err != nil {
		return nil, fmt.Errorf("create container %s: %w", s.ID, errors.Join(err, c.Remove(ctx)))
	}
	return c, nil
}

func (c *Container) prepare() error {
	if err := os.Mkdir(c.dir, 0o711); err != nil {
		return err
	}
	if err := mountRoot(c.dir, c.spec); err != nil {
		return err
	}
	root, err := OpenRoot(filepath.Join(c.dir, "rootfs"))
	if err != nil {
		return err
	}
	c.root = root
	if c.spec.Prepare != nil {
		if err := c.spec.Prepare(root); err != nil {
			return err
		}
	}
	mounts := append([]Mount(nil), c.spec.Mounts...)
	n := 0
	for target, text := range c.spec.Files {
		n++
		source := filepath.Join(c.dir, "file-"+strconv.Itoa(n))
		if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
			return err
		}
		mounts = append(mounts, Mount{Source: source, Target: target})
	}
	return bindAll(c.root, mounts)
}

// ID is the container's name.
func (c *Container) ID() string { return c.id }

// Written is the directory with what differs from the layers, or with the
// whole root file system where there are none.
func (c *Container) Written() string {
	if c.spec.Dir != "" {
		return c.spec.Dir
	}
	return filepath.Join(scratch(c.dir, c.spec), "upper")
}

// Root is the container's root file system, all mounts included, until Remove.
func (c *Container) Root() *Root { return c.root }

// Start starts the container's only process; it may be called once. It
// returns when the process runs. The container is killed when ctx ends.
func (c *Container) Start(ctx context.Context, p Process, stdio Stdio) error {
	c.mu.Lock()
	switch {
	case c.removed:
		c.mu.Unlock()
		return ErrRemoved
	case c.started:
		c.mu.Unlock()
		return ErrStarted
	}
	c.started = true
	c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		c.finish(-1, err)
		return err
	}
	text, err := json.Marshal(ociSpec(c.spec, p, c.rt.cgroups))
	if err == nil {
		err = os.WriteFile(filepath.Join(c.dir, "config.json"), text, 0o600)
	}
	if err != nil {
		err = fmt.Errorf("write spec: %w", err)
		c.finish(-1, err)
		return err
	}
	if err := c.run(ctx, p, stdio); err != nil {
		return err
	}
	// runc has read it, and the environment in it may be secret.
	if err := os.Remove(filepath.Join(c.dir, "config.json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.rt.log.Warn("spec not removed", zap.String("container", c.id), zap.Error(err))
	}
	return nil
}

// Wait returns the exit code when every process of the container has ended:
// the code of its first process, or 128 plus the signal that ended it.
func (c *Container) Wait(ctx context.Context) (int, error) {
	select {
	case <-c.done:
	case <-ctx.Done():
		return -1, ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.code, c.err
}

// Done is closed when every process of the container has ended.
func (c *Container) Done() <-chan struct{} { return c.done }

// Kill ends every process of the container at once, and returns when they are
// gone. A container that was not started, or has ended, is left alone.
func (c *Container) Kill(ctx context.Context) error {
	c.mu.Lock()
	started := c.started
	c.mu.Unlock()
	if !started {
		return nil
	}
	// It is too late to change one's mind: the processes must be gone before
	// anything is cleaned up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), killTimeout)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		c.rt.cgroups.kill(c.id)
		select {
		case <-c.done:
			return nil
		case <-tick.C:
			// Its init may not have been in the cgroup yet.
		case <-ctx.Done():
			return fmt.Errorf("kill container %s: %w", c.id, ctx.Err())
		}
	}
}

// Remove kills the container and takes everything of it away. Removing twice
// is no error.
func (c *Container) Remove(ctx context.Context) error {
	c.mu.Lock()
	if c.removed {
		c.mu.Unlock()
		return nil
	}
	c.removed = true
	c.mu.Unlock()
	if err := c.Kill(ctx); err != nil {
		return err
	}
	var errs []error
	if c.root != nil {
		errs = append(errs, c.root.Close())
	}
	if t := c.Terminal(); t != nil {
		errs = append(errs, t.Close())
	}
	if err := unmountAll(c.dir); err != nil {
		errs = append(errs, err)
	} else {
		errs = append(errs, c.rt.trash.throw(c.dir))
	}
	c.rt.forget(c.id)
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove container %s: %w", c.id, err)
	}
	return nil
}

func (c *Container) finish(code int, err error) {
	c.mu.Lock()
	c.code, c.err = code, err
	c.mu.Unlock()
	close(c.done)
}

// sweep makes sure that nothing of the container runs on, whatever became of
// its runc.
func (c *Container) sweep() {
	deadline := time.NewTimer(killTimeout)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for c.rt.cgroups.remove(c.id) != nil {
		c.rt.cgroups.kill(c.id)
		select {
		case <-tick.C:
		case <-deadline.C:
			c.rt.log.Error("processes survive their container", zap.String("container", c.id))
			return
		}
	}
	state := filepath.Join(c.rt.runc.Root, c.id)
	if err := os.RemoveAll(state); err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.rt.log.Warn("runc state not removed", zap.Error(err))
	}
}
