package repo

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Expose lets C git read the objects before they are migrated: what it returns
// can be its GIT_OBJECT_DIRECTORY, with the repository's objects as an
// alternate. It is "" if there are no objects.
func (q *Quarantine) Expose() (dir string, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.front == nil || q.moved || q.gone {
		return "", nil
	}
	if dir, err = filepath.Abs(q.dir); err != nil {
		return "", fmt.Errorf("expose quarantine: %w", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "pack"), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("expose quarantine: %w", err)
	}
	name := "pack-" + hex.EncodeToString(q.front.idx.packSum())
	for _, ext := range []string{".pack", ".rev", ".idx"} {
		err := os.Link(filepath.Join(dir, "tmp"+ext), filepath.Join(dir, "pack", name+ext))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return "", fmt.Errorf("expose quarantine: %w", err)
		}
	}
	return dir, nil
}
