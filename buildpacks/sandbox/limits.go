package sandbox

import (
	"errors"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// limit sets what the process pid, and all that it will start, may use.
func (w *inside) limit(pid int, l Limits) error {
	set := func(resource int, value uint64) error {
		return unix.Prlimit(pid, resource, &unix.Rlimit{Cur: value, Max: value}, nil)
	}
	errs := []error{set(unix.RLIMIT_CORE, 0), set(unix.RLIMIT_FSIZE, fileSize)}
	if l.Memory > 0 {
		// Not the address space, much of which runtimes only reserve.
		errs = append(errs, set(unix.RLIMIT_DATA, uint64(l.Memory)))
	}
	if l.Pids > 0 && !w.Plain { // without a user namespace it counts all of the user's
		errs = append(errs, set(unix.RLIMIT_NPROC, uint64(l.Pids)))
	}
	if err := errors.Join(errs...); err != nil {
		return wrap("limit the program", err)
	}
	for _, dir := range w.cgroups {
		if err := limitCgroup(dir, pid, l); err != nil {
			return wrap("limit the program", err)
		}
	}
	return nil
}

// limitCgroup sets the limits that a cgroup has, by the names of v1 and of v2,
// and moves the process in.
func limitCgroup(dir *os.File, pid int, l Limits) error {
	memory, pids := int64(-1), "max"
	if l.Memory > 0 {
		memory = l.Memory
	}
	if l.Pids > 0 {
		pids = strconv.Itoa(l.Pids)
	}
	bytes := strconv.FormatInt(memory, 10)
	if memory < 0 {
		bytes = "max"
	}
	for _, f := range []struct{ name, value string }{
		{"memory.limit_in_bytes", strconv.FormatInt(memory, 10)},
		{"memory.max", bytes},
		{"memory.swap.max", "0"},
		{"memory.oom.group", "1"},
		{"pids.max", pids},
	} {
		if err := writeAt(dir, f.name, f.value); err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EACCES) {
			return err // not every kind of cgroup has all, and none makes files
		}
	}
	return writeAt(dir, "cgroup.procs", strconv.Itoa(pid))
}

// writeAt writes a file of an open directory, wherever its path leads by now.
func writeAt(dir *os.File, name, value string) error {
	fd, err := unix.Openat(int(dir.Fd()), name, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	_, err = unix.Write(fd, []byte(value))
	return errors.Join(err, unix.Close(fd))
}

// oomKills is how often the kernel has killed for want of memory.
func (w *inside) oomKills() int {
	n := 0
	for _, dir := range w.cgroups {
		for _, name := range []string{"memory.oom_control", "memory.events"} {
			for line := range strings.Lines(readAt(dir, name)) {
				if key, value, _ := strings.Cut(strings.TrimSpace(line), " "); key == "oom_kill" {
					count, err := strconv.Atoi(value)
					if err == nil {
						n += count
					}
				}
			}
		}
	}
	return n
}

// readAt reads a short file of an open directory; "" if it is not there.
func readAt(dir *os.File, name string) string {
	fd, err := unix.Openat(int(dir.Fd()), name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer func() { _ = unix.Close(fd) }() // it was only read
	buf := make([]byte, 4<<10)
	n, err := unix.Read(fd, buf)
	if err != nil {
		return ""
	}
	return string(buf[:n])
}
