package bundle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"

	runc "github.com/containerd/go-runc"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
)

// Config configures a [Runtime].
type Config struct {
	// Dir holds the bundles of running containers; required. One Runtime at
	// a time may use it: another gets ErrBusy.
	Dir string
	// Cgroup is the parent cgroup of every container, from the root of each
	// hierarchy; required. Nobody else may use it.
	Cgroup string
	// Runc is the OCI runtime's name or path; "runc" if empty.
	Runc string
	// Log gets what happens; nothing if nil.
	Log *zap.Logger
}

// A Runtime makes containers.
type Runtime struct {
	dir     string
	lock    *os.File
	runc    *runc.Runc
	cgroups *cgroups
	trash   *trash
	log     *zap.Logger

	mu         sync.Mutex
	containers map[string]*Container
	closed     bool
}

// Open makes a Runtime, and first removes whatever containers a predecessor
// on the same directory left behind, running or not.
func Open(ctx context.Context, cfg Config) (*Runtime, error) {
	if os.Geteuid() != 0 {
		return nil, ErrNotRoot
	}
	if cfg.Runc == "" {
		cfg.Runc = "runc"
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	path, err := exec.LookPath(cfg.Runc)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoRuntime, err)
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("resolve directory: %w", err)
	}
	for _, sub := range []string{"run", "state", "trash"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o711); err != nil {
			return nil, fmt.Errorf("make directory: %w", err)
		}
	}
	groups, err := findCgroups(cfg.Cgroup)
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	r := &Runtime{
		dir:  dir,
		lock: lock,
		runc: &runc.Runc{
			Command: path,
			Root:    filepath.Join(dir, "state"),
			// The container itself outlives a killed server until Open
			// finds it; its runc need not.
			PdeathSignal: syscall.SIGKILL,
		},
		cgroups:    groups,
		log:        cfg.Log,
		containers: make(map[string]*Container),
	}
	if err := r.recover(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("recover %s: %w", dir, err), lock.Close())
	}
	r.trash = openTrash(filepath.Join(dir, "trash"), cfg.Log)
	return r, nil
}

// Trash takes the directory at path away at once and deletes it later, in the
// background. The path must lie on the file system of Config.Dir.
func (r *Runtime) Trash(path string) error { return r.trash.throw(path) }

// Close removes every container and waits for what is deleted in the
// background. Closing twice is no error.
func (r *Runtime) Close(ctx context.Context) error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	r.closed = true
	left := make([]*Container, 0, len(r.containers))
	for _, c := range r.containers {
		left = append(left, c)
	}
	r.mu.Unlock()
	errs := make([]error, len(left))
	var removing errgroup.Group
	removing.SetLimit(recoverParallel)
	for n, c := range left {
		removing.Go(func() error {
			errs[n] = c.Remove(ctx)
			return nil
		})
	}
	_ = removing.Wait() // errs has them all
	r.trash.close()
	errs = append(errs, r.cgroups.removeParent(), r.lock.Close())
	return errors.Join(errs...)
}

func (r *Runtime) register(c *Container) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrClosed
	}
	if _, ok := r.containers[c.id]; ok {
		return fmt.Errorf("%w: %s", ErrExists, c.id)
	}
	r.containers[c.id] = c
	return nil
}

func (r *Runtime) forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.containers, id)
}
