package disk

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Free returns what is left of the file system that dir is on. Some file
// systems do not count files, and have always none left.
func Free(dir string) (Usage, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return Usage{}, fmt.Errorf("look at file system of %s: %w", dir, err)
	}
	return Usage{Bytes: int64(st.Bfree) * st.Bsize, Files: int64(st.Ffree)}, nil
}
