package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"time"
)

// appTime is the modification time of every file of a build's source: git
// keeps none, and the same commit must give the same image. Zip cannot say
// anything earlier.
var appTime = time.Date(1980, time.January, 1, 0, 0, 1, 0, time.UTC)

// A source is a tree being written to disk within limits.
type source struct {
	tree  fs.FS
	root  *os.Root
	bytes int64 // still allowed
	files int   // still allowed
	buf   []byte
	at    string // being written
}

// longestPath is in bytes. Programs that build take whole paths, of which the
// kernel takes 4096 bytes with the folder that the app is in.
const longestPath = 3 << 10

// extract writes tree to dir, which exists and is empty. Nothing is written
// outside of dir, whatever the names and links in the tree are: links are
// made last, and everything goes through an [os.Root].
func extract(ctx context.Context, tree fs.FS, dir string, maxBytes int64, maxFiles int) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("open build directory: %w", err)
	}
	defer func() { _ = root.Close() }() // only a handle
	s := &source{tree: tree, root: root, bytes: maxBytes, files: maxFiles, buf: make([]byte, 64<<10)}
	var links, dirs []string
	err = fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case name == ".":
			return nil
		}
		s.at = name
		if len(name) > longestPath {
			return syscall.ENAMETOOLONG
		}
		if s.files--; s.files < 0 {
			return refuse(ErrSource, "The app has more than %d files and folders.", maxFiles)
		}
		switch {
		case d.IsDir():
			dirs = append(dirs, name)
			return root.Mkdir(name, 0o755)
		case d.Type()&fs.ModeSymlink != 0:
			links = append(links, name)
			return nil
		case d.Type().IsRegular():
			return s.file(ctx, name, d)
		}
		return refuse(ErrSource, "%q is neither a file, a folder nor a link.", name)
	})
	if err == nil {
		err = s.links(links)
	}
	if err == nil {
		err = s.times(dirs)
	}
	if errors.Is(err, syscall.ENAMETOOLONG) {
		return refuse(ErrSource, "The name of a file in the app is too long:\n%.200q", s.at)
	}
	var refused *Error
	if err != nil && !errors.As(err, &refused) {
		return fmt.Errorf("extract source: %w", err)
	}
	return err
}

// readerFunc reads by a function.
type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func (s *source) file(ctx context.Context, name string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if info.Mode()&0o111 != 0 {
		mode = 0o755
	}
	in, err := s.tree.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read
	out, err := s.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	limited := io.LimitReader(in, s.bytes+1)
	// The struct hides ReadFrom, which would ignore buf.
	n, err := io.CopyBuffer(struct{ io.Writer }{out}, readerFunc(func(p []byte) (int, error) {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		return limited.Read(p)
	}), s.buf)
	if err == nil {
		err = out.Chmod(mode) // the umask may have taken bits
	}
	err = errors.Join(err, out.Close())
	if err != nil {
		return err
	}
	if s.bytes -= n; s.bytes < 0 {
		return refuse(ErrSource, "The app is too large to build here.\nAsk for a higher limit, or keep large files out of the repository.")
	}
	return s.root.Chtimes(name, appTime, appTime)
}

func (s *source) links(names []string) error {
	for _, name := range names {
		s.at = name
		target, err := fs.ReadLink(s.tree, name)
		if err != nil {
			return err
		}
		if target == "" || strings.Contains(target, "\x00") {
			return refuse(ErrSource, "%q is a link to %q, which is no name.", name, target)
		}
		if err := s.root.Symlink(target, name); err != nil {
			return err
		}
	}
	return nil
}

// times runs last, since a folder's time changes with its entries.
func (s *source) times(dirs []string) error {
	for _, name := range append(dirs, ".") {
		if err := s.root.Chtimes(path.Clean(name), appTime, appTime); err != nil {
			return err
		}
	}
	return nil
}
