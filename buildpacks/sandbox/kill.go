package sandbox

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// killAll kills all that programs have started: as PID 1, all processes but this
// one; else what descends from it.
func killAll() {
	if os.Getpid() == 1 {
		_ = unix.Kill(-1, unix.SIGKILL) // there may be none
		return
	}
	for _, pid := range descendants() {
		_ = unix.Kill(pid, unix.SIGKILL) // it may be gone
	}
}

// others tells whether there is a process that a program has started.
func others() bool {
	if os.Getpid() == 1 {
		return unix.Kill(-1, 0) == nil
	}
	return len(descendants()) > 0
}

// reap takes note of processes that have ended.
func reap() {
	for {
		if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); pid <= 0 || err != nil {
			return
		}
	}
}

// reapAll waits for all processes, which have been killed. Those that were born
// meanwhile are killed too.
func reapAll() {
	const patience = 5 * time.Second
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		switch {
		case err == unix.EINTR || pid > 0:
			continue
		case err != nil:
			return // there are none
		}
		killAll()
		<-time.After(time.Millisecond)
	}
}

// descendants are the processes below this one, as /proc has them now.
func descendants() []int {
	children := map[int][]int{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	for _, name := range stats {
		data, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		// "PID (NAME) STATE PARENT …", where NAME may hold anything.
		_, rest, _ := strings.Cut(string(data[strings.LastIndexByte(string(data), ')')+1:]), " ")
		fields := strings.Fields(rest)
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err != nil || len(fields) < 2 || fields[0] == "Z" {
			continue
		}
		if parent, err := strconv.Atoi(fields[1]); err == nil {
			children[parent] = append(children[parent], pid)
		}
	}
	var all []int
	for next := children[os.Getpid()]; len(next) > 0; {
		pid := next[0]
		next = append(next[1:], children[pid]...)
		all = append(all, pid)
	}
	return all
}
