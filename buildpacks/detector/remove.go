package detector

import (
	"io/fs"
	"os"
	"path/filepath"
)

// removeAll removes a tree, also where directories in it cannot be written to.
func removeAll(dir string) error {
	if err := os.RemoveAll(dir); err == nil {
		return nil
	}
	_ = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = os.Chmod(name, 0o700) // if it fails, so does what follows
		}
		return nil
	})
	return os.RemoveAll(dir)
}
