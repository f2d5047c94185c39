package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	cgroupRoot   = "/sys/fs/cgroup"
	cgroupPrefix = "slipway-detect-"
)

// A cgroup is what the programs of one worker are counted in: one directory on a
// unified (v2) machine, one a controller on v1. A nil one is none.
type cgroup struct{ paths []string }

// cgroups numbers those of this process.
var cgroups atomic.Int64

// newCgroup makes the cgroup of a worker, and removes those of processes that
// were killed.
func newCgroup() (*cgroup, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("only root can make a cgroup")
	}
	parents, err := cgroupParents()
	if err != nil {
		return nil, err
	}
	c, number := &cgroup{}, cgroups.Add(1)
	for _, parent := range parents {
		sweepCgroups(parent)
		dir := filepath.Join(parent, fmt.Sprintf("%s%d-%d", cgroupPrefix, os.Getpid(), number))
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, errors.Join(fmt.Errorf("make cgroup: %w", reason(err)), c.remove())
		}
		c.paths = append(c.paths, dir)
	}
	return c, nil
}

// cgroupParents are where cgroups for memory and for processes are made.
func cgroupParents() ([]string, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(cgroupRoot, &st); err != nil {
		return nil, fmt.Errorf("no %s: %w", cgroupRoot, err)
	}
	if st.Type == unix.CGROUP2_SUPER_MAGIC {
		data, err := os.ReadFile(filepath.Join(cgroupRoot, "cgroup.subtree_control"))
		on := strings.Fields(string(data))
		if err != nil || !slices.Contains(on, "memory") || !slices.Contains(on, "pids") {
			return nil, errors.New("the controllers memory and pids are not on")
		}
		return []string{cgroupRoot}, nil
	}
	parents := []string{filepath.Join(cgroupRoot, "memory"), filepath.Join(cgroupRoot, "pids")}
	for _, dir := range parents {
		if unix.Statfs(dir, &st) != nil || st.Type != unix.CGROUP_SUPER_MAGIC {
			return nil, fmt.Errorf("no cgroups are mounted at %s", dir)
		}
	}
	return parents, nil
}

// sweepCgroups removes those of processes that are gone.
func sweepCgroups(parent string) {
	old, err := filepath.Glob(filepath.Join(parent, cgroupPrefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range old {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), cgroupPrefix), "-")
		if n, err := strconv.Atoi(pid); err == nil && unix.Kill(n, 0) == unix.ESRCH {
			_ = os.Remove(dir) // fails while something is in it
		}
	}
}

func (c *cgroup) dirs() []string {
	if c == nil {
		return nil
	}
	return c.paths
}

// remove removes it. What was in it has been killed, but may take a moment.
func (c *cgroup) remove() error {
	const patience = 2 * time.Second
	var errs []error
	for _, dir := range c.dirs() {
		err := os.Remove(dir)
		for deadline := time.Now().Add(patience); errors.Is(err, unix.EBUSY) && time.Now().Before(deadline); {
			<-time.After(5 * time.Millisecond)
			err = os.Remove(dir)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("remove cgroup: %w", err))
		}
	}
	return errors.Join(errs...)
}
