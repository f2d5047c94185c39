package repo

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"syscall"

	"golang.org/x/sync/errgroup"
)

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = f.Sync()
	// Some file systems cannot sync directories, and need not.
	if errors.Is(err, syscall.EINVAL) {
		err = nil
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}

// writeSynced writes a new file durably; its name is the directory's matter.
func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func isNotEmpty(err error) bool { return errors.Is(err, syscall.ENOTEMPTY) }

// syncFile makes a file's content durable.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// syncAll makes several files durable at once: a file system with a journal
// then commits it once for all of them.
func syncAll(names iter.Seq[string], sync func(string) error) error {
	const atOnce = 8
	var group errgroup.Group
	group.SetLimit(atOnce)
	for name := range names {
		group.Go(func() error { return sync(name) })
	}
	return group.Wait()
}
