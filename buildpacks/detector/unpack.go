package detector

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// What an image or an archive may take when it is unpacked.
const (
	maxUnpacked = 16 << 30
	maxEntries  = 2_000_000
)

// eachEntry reads a tar file, compressed with gzip or not, until f returns
// [fs.SkipAll].
func eachEntry(file string, f func(h *tar.Header, r io.Reader, n int) error) error {
	in, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("open archive: %w", withoutPath(err))
	}
	defer func() { _ = in.Close() }() // it was only read
	r, err := uncompressed(in)
	if err != nil {
		return err
	}
	tr := tar.NewReader(r)
	for n := 1; ; n++ {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read archive: %w: it has to be a tar file, compressed with gzip or not", err)
		}
		if err := f(h, tr, n); err != nil {
			if errors.Is(err, fs.SkipAll) {
				return nil
			}
			return err
		}
	}
}

func uncompressed(in io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(in)
	magic, err := buffered.Peek(2)
	if err != nil || !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return buffered, nil //nolint:nilerr // what is too short is no tar file either, which is said
	}
	zr, err := gzip.NewReader(buffered)
	if err != nil {
		return nil, fmt.Errorf("read archive: %w", err)
	}
	return zr, nil
}

// unpackFile unpacks an archive into dir.
func unpackFile(ctx context.Context, file, dir string) error {
	in, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("open archive: %w", withoutPath(err))
	}
	defer func() { _ = in.Close() }() // it was only read
	r, err := uncompressed(in)
	if err != nil {
		return err
	}
	return unpack(ctx, tar.NewReader(r), dir)
}

// unpack makes the files, directories and links of a tar file below dir. Devices
// are left out, and so are owners and set-user-ID bits: nobody needs them who only
// looks at an app.
func unpack(ctx context.Context, tr *tar.Reader, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // a directory
	left := int64(maxUnpacked)
	for n := 0; ; n++ {
		h, err := tr.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read archive: %w: it has to be a tar file, compressed with gzip or not", err)
		case ctx.Err() != nil:
			return ctx.Err()
		case n == maxEntries:
			return fmt.Errorf("it has more than %d files", maxEntries)
		}
		if left -= h.Size; left < 0 {
			return fmt.Errorf("it is larger than %d GiB", maxUnpacked>>30)
		}
		if err := unpackEntry(root, h, tr); err != nil {
			return fmt.Errorf("unpack %.200q: %w", h.Name, reasonOf(err))
		}
	}
}

func unpackEntry(root *os.Root, h *tar.Header, r io.Reader) error {
	entry := strings.TrimLeft(path.Clean("/"+h.Name), "/")
	if entry == "" || strings.ContainsRune(entry, 0) {
		return nil
	}
	mode := h.FileInfo().Mode().Perm()
	if err := root.MkdirAll(path.Dir(entry), 0o755); err != nil {
		return err
	}
	if h.Typeflag == tar.TypeDir {
		if info, err := root.Lstat(entry); err == nil && info.IsDir() {
			return root.Chmod(entry, mode|0o700)
		}
		_ = root.Remove(entry) // a file or a link; what cannot be removed cannot be made either
		if err := root.Mkdir(entry, mode|0o700); err != nil {
			return err
		}
		return root.Chmod(entry, mode|0o700)
	}
	_ = root.RemoveAll(entry) // as above
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse:
		return unpackContent(root, entry, mode|0o400, r)
	case tar.TypeSymlink:
		return root.Symlink(h.Linkname, entry)
	case tar.TypeLink:
		return root.Link(strings.TrimLeft(path.Clean("/"+h.Linkname), "/"), entry)
	}
	return nil
}

func unpackContent(root *os.Root, entry string, mode fs.FileMode, r io.Reader) error {
	f, err := root.OpenFile(entry, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Chmod(mode), f.Close())
}

// reasonOf drops paths, which are in the text already.
func reasonOf(err error) error {
	if l, ok := errors.AsType[*os.LinkError](err); ok {
		return l.Err
	}
	return withoutPath(err)
}
