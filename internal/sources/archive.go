package sources

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// longestLink bounds where a link in a zip file leads, in bytes.
const longestLink = 4 << 10

// Dir is where the tree lies on disk, until Close.
func (t *Tree) Dir() string { return filepath.Join(t.dir, t.Folder) }

// Save writes what is read to a file in dir, of limits.Bytes at most, and returns
// its name. What the thing is called stands in the errors.
func Save(ctx context.Context, in io.Reader, what, dir string, limits Limits) (string, error) {
	f, err := os.CreateTemp(dir, what+"-")
	if err != nil {
		return "", fmt.Errorf("save %s: %w", what, err)
	}
	_, err = io.Copy(f, &bounded{in: in, left: limits.Bytes, stop: ctx.Err})
	if err := errors.Join(err, f.Close()); err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
		if errors.Is(err, ErrTooLarge) {
			return "", refuse("the %s is larger than %d MB, the most that is taken", what, limits.Bytes>>20)
		}
		return "", fmt.Errorf("save %s: %w", what, err)
	}
	return f.Name(), nil
}

// UnpackFile makes a tree of a tarball, gzipped or not, or of a zip file, below
// dir. An [*Error], in which it is called what, says why there is no tree;
// nothing is left of it then. Close the tree.
func UnpackFile(ctx context.Context, file, what, dir string, limits Limits) (*Tree, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", what, err)
	}
	defer func() { _ = f.Close() }() // only read
	if dir, err = os.MkdirTemp(dir, what+"-"); err != nil {
		return nil, fmt.Errorf("unpack %s: %w", what, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("unpack %s: %w", what, err), os.RemoveAll(dir))
	}
	t := &Tree{dir: dir, root: root}
	u := &unpacking{root: root, what: what, limits: limits, bytes: limits.Bytes}
	err = u.any(ctx, f)
	if err == nil {
		err = t.descend()
	}
	if err != nil {
		return nil, errors.Join(u.explain(ctx, err), t.Close())
	}
	return t, nil
}

// any unpacks what it is by its first bytes.
func (u *unpacking) any(ctx context.Context, f *os.File) error {
	head := make([]byte, 4)
	if _, err := io.ReadFull(f, head); err != nil {
		return refuse("the %s is no .tgz, .tar or .zip archive", u.what)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	switch {
	case bytes.HasPrefix(head, []byte("PK")):
		return u.zip(ctx, f)
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		unzip, err := gzip.NewReader(f)
		if err != nil {
			return u.notGzip(err)
		}
		return u.tarball(ctx, unzip)
	}
	return u.tarball(ctx, f)
}

func (u *unpacking) zip(ctx context.Context, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	r, err := zip.NewReader(f, info.Size())
	if err != nil {
		return refuse("the %s is broken: pack it again, and put it where it was", u.what)
	}
	if len(r.File) == 0 {
		return refuse("the %s has no files in it", u.what)
	}
	for _, one := range r.File {
		if err := ctx.Err(); err != nil {
			return err
		}
		if u.files++; u.files > u.limits.Files {
			return refuse("the %s has more than %d files and folders", u.what, u.limits.Files)
		}
		if err := u.zipped(ctx, one); err != nil {
			return err
		}
	}
	return nil
}

func (u *unpacking) zipped(ctx context.Context, f *zip.File) error {
	name, err := u.inside(f.Name)
	if err != nil || name == "." {
		return err
	}
	u.at = name
	if err := u.parents(name); err != nil {
		return err
	}
	if f.Mode().IsDir() {
		return u.folder(name)
	}
	in, err := f.Open()
	if err != nil {
		return refuse("%.200q in the %s cannot be unpacked: %v", name, u.what, err)
	}
	defer func() { _ = in.Close() }() // only read
	reader := &bounded{in: in, left: u.bytes + longestLink, stop: ctx.Err}
	switch mode := f.Mode(); {
	case mode.IsRegular():
		return u.file(name, reader, mode)
	case mode&fs.ModeSymlink != 0:
		target, err := io.ReadAll(io.LimitReader(reader, longestLink))
		if err != nil {
			return err
		}
		return u.link(name, func() error { return u.root.Symlink(string(target), name) })
	}
	return refuse("%.200q in the %s is neither a file, a folder nor a link", name, u.what)
}
