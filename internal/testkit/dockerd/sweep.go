package dockerd

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	dirPrefix  = "dockerd-"
	lockFile   = "lock"
	bridgeFile = "bridge"
)

// claim marks dir as in use for as long as this process lives, and has it
// removed with the test.
func claim(tb testing.TB, dir string) {
	tb.Helper()
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		tb.Fatalf("claim directory: %v", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		tb.Fatalf("claim directory: %v", err)
	}
	tb.Cleanup(func() {
		if err := removeDir(dir); err != nil {
			tb.Errorf("remove dockerd's directory: %v", err)
		}
		_ = f.Close() // gives up the claim
	})
}

// sweep removes what killed tests left: the directories that no process has
// claimed, and the bridges of their daemons.
func sweep(tb testing.TB) {
	tb.Helper()
	locks, err := filepath.Glob(filepath.Join(os.TempDir(), dirPrefix+"*", lockFile))
	if err != nil {
		tb.Fatalf("list leftovers: %v", err)
	}
	for _, lock := range locks {
		f, err := os.OpenFile(lock, os.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			continue // another test was faster
		}
		if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			dir := filepath.Dir(lock)
			tb.Logf("removing %s, which a killed test left", dir)
			if name, err := os.ReadFile(filepath.Join(dir, bridgeFile)); err == nil {
				err = removeBridge(string(name))
				if err != nil {
					tb.Logf("remove bridge: %v", err)
				}
			}
			if err := removeDir(dir); err != nil {
				tb.Logf("remove leftovers: %v", err)
			}
		}
		_ = f.Close() // nothing was written
	}
}

// removeDir removes a daemon's directory and the mounts that it forgot.
func removeDir(dir string) error {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return err
	}
	var points []string
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(f[1], dir+"/") {
			points = append(points, f[1])
		}
	}
	for _, point := range slices.Backward(points) {
		_ = unix.Unmount(point, unix.MNT_DETACH) // what stays makes RemoveAll fail
	}
	return os.RemoveAll(dir)
}
