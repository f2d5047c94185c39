package workbench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// What a copy of an app may take. Who has more, has something in the app that no
// buildpack detects by.
const (
	maxCopied      = 1 << 30 // bytes
	maxCopiedFiles = 200_000 // files, directories and links
)

// copyTree writes a tree into the new directory dir: real files, which a script
// may do to what it likes. Symbolic links stay links. A file that cannot be read
// becomes one that cannot be read; sockets, pipes and devices are left out.
func copyTree(ctx context.Context, tree fs.FS, dir string) error {
	c := copier{tree: tree, dir: dir}
	return fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if c.count++; c.count > maxCopiedFiles {
			return fmt.Errorf("it has more than %d files: leave some out with --without DIRECTORY", maxCopiedFiles)
		}
		if err != nil && name != "." && entry != nil && entry.IsDir() && errors.Is(err, fs.ErrPermission) {
			return os.Chmod(c.at(name), 0) // its listing is refused: so is that of the copy
		}
		if err != nil {
			return err
		}
		return c.copy(name, entry)
	})
}

// A copier writes what it is shown of a tree.
type copier struct {
	tree  fs.FS
	dir   string
	count int
	bytes int64
}

func (c *copier) at(name string) string { return filepath.Join(c.dir, filepath.FromSlash(name)) }

func (c *copier) copy(name string, entry fs.DirEntry) error {
	switch kind := entry.Type(); {
	case kind.IsDir():
		return os.Mkdir(c.at(name), 0o755)
	case kind&fs.ModeSymlink != 0:
		target, err := fs.ReadLink(c.tree, name)
		if err != nil {
			return err
		}
		return os.Symlink(target, c.at(name))
	case kind.IsRegular():
		return c.file(name, entry)
	default:
		return nil
	}
}

func (c *copier) file(name string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	if c.bytes += info.Size(); c.bytes > maxCopied {
		return fmt.Errorf("it has more than %d MiB: leave some out with --without %s", maxCopied>>20, path.Dir(name))
	}
	in, err := c.tree.Open(name)
	if errors.Is(err, fs.ErrPermission) {
		return os.WriteFile(c.at(name), nil, 0)
	}
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	out, err := os.OpenFile(c.at(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	// No more than was counted, should it grow meanwhile.
	_, err = io.Copy(out, io.LimitReader(in, info.Size()))
	return errors.Join(err, out.Chmod(info.Mode().Perm()), out.Close())
}
