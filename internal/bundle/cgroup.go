package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const cgroupRoot = "/sys/fs/cgroup"

// cgroups knows where the cgroups of a runtime lie: under one directory on a
// unified (v2) machine, under one a controller on v1.
type cgroups struct {
	parent  string   // "/slipway-1f2e3d"
	roots   []string // mount points of the hierarchies
	unified bool
}

func findCgroups(parent string) (*cgroups, error) {
	if !strings.HasPrefix(parent, "/") || filepath.Clean(parent) != parent || parent == "/" {
		return nil, fmt.Errorf("bad cgroup %q: want an absolute path below the root", parent)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(cgroupRoot, &st); err != nil {
		return nil, fmt.Errorf("look at %s: %w", cgroupRoot, err)
	}
	g := &cgroups{parent: parent}
	if st.Type == unix.CGROUP2_SUPER_MAGIC {
		g.unified = true
		g.roots = []string{cgroupRoot}
		return g, nil
	}
	entries, err := os.ReadDir(cgroupRoot)
	if err != nil {
		return nil, fmt.Errorf("list cgroup hierarchies: %w", err)
	}
	for _, e := range entries {
		root := filepath.Join(cgroupRoot, e.Name())
		if !e.IsDir() || unix.Statfs(root, &st) != nil {
			continue
		}
		if st.Type == unix.CGROUP_SUPER_MAGIC || st.Type == unix.CGROUP2_SUPER_MAGIC {
			g.roots = append(g.roots, root)
		}
	}
	if len(g.roots) == 0 {
		return nil, fmt.Errorf("no cgroup hierarchy is mounted in %s", cgroupRoot)
	}
	return g, nil
}

// path is what goes into a spec's cgroupsPath.
func (g *cgroups) path(id string) string { return g.parent + "/" + id }

// kill sends SIGKILL to every process in a container's cgroup. The first to
// die, the init of the PID namespace, takes the others along.
func (g *cgroups) kill(id string) {
	for _, root := range g.roots {
		dir := filepath.Join(root, g.path(id))
		if g.unified {
			// Linux 5.14; atomic against forks.
			_ = os.WriteFile(filepath.Join(dir, "cgroup.kill"), []byte("1"), 0)
		}
		text, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		if err != nil {
			continue
		}
		for line := range strings.FieldsSeq(string(text)) {
			pid, err := strconv.Atoi(line)
			if err != nil || pid <= 1 {
				continue
			}
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may be gone
		}
	}
}

// oomKills counts the processes of a container that the kernel killed for want
// of memory.
func (g *cgroups) oomKills(id string) int {
	file := filepath.Join(cgroupRoot, "memory", g.path(id), "memory.oom_control")
	if g.unified {
		file = filepath.Join(cgroupRoot, g.path(id), "memory.events")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "oom_kill" {
			n, err := strconv.Atoi(f[1])
			if err == nil {
				return n
			}
		}
	}
	return 0
}

// remove removes a container's cgroup everywhere. It fails with EBUSY while
// processes are in it.
func (g *cgroups) remove(id string) error {
	var errs []error
	for _, root := range g.roots {
		errs = append(errs, removeCgroup(filepath.Join(root, g.path(id))))
	}
	return errors.Join(errs...)
}

func (g *cgroups) removeParent() error {
	var errs []error
	for _, root := range g.roots {
		if err := os.Remove(filepath.Join(root, g.parent)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// list names the containers that have a cgroup.
func (g *cgroups) list() []string {
	seen := make(map[string]bool)
	var ids []string
	for _, root := range g.roots {
		entries, err := os.ReadDir(filepath.Join(root, g.parent))
		if err != nil {
			continue
		}
		for _, e := range entries {
			if e.IsDir() && !seen[e.Name()] {
				seen[e.Name()] = true
				ids = append(ids, e.Name())
			}
		}
	}
	return ids
}

// removeCgroup removes a cgroup and those that the container made inside it.
func removeCgroup(dir string) error {
	err := syscall.Rmdir(dir)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	entries, rerr := os.ReadDir(dir)
	if rerr != nil {
		return fmt.Errorf("remove cgroup: %w", err)
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeCgroup(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	if err := syscall.Rmdir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove cgroup %s: %w", dir, err)
	}
	return nil
}
