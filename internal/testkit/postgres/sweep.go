package postgres

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const (
	dirPrefix = "postgres-test-"
	lockFile  = "lock"
)

// claim marks dir as in use for as long as the file is open.
func claim(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close() // nothing was written
		return nil, fmt.Errorf("claim %s: %w", dir, err)
	}
	return f, nil
}

// sweep removes the directories that killed test binaries left: nobody claims
// them. Their servers ended with them.
func sweep() {
	locks, err := filepath.Glob(filepath.Join(os.TempDir(), dirPrefix+"*", lockFile))
	if err != nil {
		return // a bad pattern: TMPDIR is odd
	}
	for _, lock := range locks {
		f, err := claim(filepath.Dir(lock))
		if err != nil {
			continue // in use, or another test was faster
		}
		_ = os.RemoveAll(filepath.Dir(lock)) // what stays now goes the next time
		_ = f.Close()
	}
}
