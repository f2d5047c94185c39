package bundled

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/sys/unix"
)

// A layer is a finished layer of an image: a gzipped tar in a file.
type layer struct {
	Digest string `json:"digest"` // of the gzipped file, "sha256:…"
	DiffID string `json:"diff_id"`
	Size   int64  `json:"size"`
}

// A packer writes trees of files as layers that depend on nothing but the
// files' names, modes, owners and content.
type packer struct {
	root  string // what lies here becomes /
	owner func(fs.FileInfo) (uid, gid int)
	skip  func(rel string) bool // these, and what is below them, stay out
	below string                // if not empty: a lower tree, only differences from it are written
}

// pack writes the tree to the file dst.
func (p packer) pack(ctx context.Context, dst string) (_ layer, err error) {
	f, err := os.Create(dst)
	if err != nil {
		return layer{}, fmt.Errorf("create layer: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()

	sum, diff := sha256.New(), sha256.New()
	zw, err := gzip.NewWriterLevel(io.MultiWriter(f, sum), gzip.BestSpeed)
	if err != nil {
		return layer{}, fmt.Errorf("start gzip: %w", err)
	}
	w := &layerWriter{packer: p, tw: tar.NewWriter(io.MultiWriter(zw, diff)), links: map[uint64]string{}}
	if err := w.walk(ctx); err != nil {
		return layer{}, fmt.Errorf("pack %s: %w", filepath.Base(p.root), err)
	}
	if err := errors.Join(w.tw.Close(), zw.Close()); err != nil {
		return layer{}, fmt.Errorf("finish layer: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return layer{}, fmt.Errorf("measure layer: %w", err)
	}
	return layer{Digest: digestOf(sum), DiffID: digestOf(diff), Size: info.Size()}, nil
}

func digestOf(h hash.Hash) string { return "sha256:" + hex.EncodeToString(h.Sum(nil)) }

// A layerWriter writes one layer.
type layerWriter struct {
	packer
	tw    *tar.Writer
	links map[uint64]string // first name of each inode with several
}

// walk visits the tree in lexical order, which makes the layer's order.
func (w *layerWriter) walk(ctx context.Context) error {
	return filepath.WalkDir(w.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		rel, err := filepath.Rel(w.root, path)
		if err != nil {
			return err
		}
		if rel == "." {
			return w.whiteouts(rel)
		}
		if w.skip != nil && w.skip(rel) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if err := w.entry(rel, info); err != nil {
			return err
		}
		if d.IsDir() {
			return w.whiteouts(rel)
		}
		return nil
	})
}

// entry writes one file, unless the tree below has it already.
func (w *layerWriter) entry(rel string, info fs.FileInfo) error {
	path := filepath.Join(w.root, rel)
	if w.below != "" {
		same, err := sameFile(path, filepath.Join(w.below, rel), info)
		if err != nil || same {
			return err
		}
	}
	target := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		var err error
		if target, err = os.Readlink(path); err != nil {
			return err
		}
	}
	h, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return err
	}
	w.normalise(h, rel, info)
	st, ok := info.Sys().(*syscall.Stat_t)
	if ok && info.Mode().IsRegular() && st.Nlink > 1 {
		if first, seen := w.links[st.Ino]; seen {
			h.Typeflag, h.Linkname, h.Size = tar.TypeLink, first, 0
		} else {
			w.links[st.Ino] = h.Name
		}
	}
	if h.Typeflag == tar.TypeReg {
		if err := fileCapabilities(path, h); err != nil {
			return err
		}
	}
	if err := w.tw.WriteHeader(h); err != nil {
		return err
	}
	if h.Typeflag != tar.TypeReg {
		return nil
	}
	return copyFile(w.tw, path)
}

// normalise takes out of a header what differs from machine to machine.
func (w *layerWriter) normalise(h *tar.Header, rel string, info fs.FileInfo) {
	h.Name = filepath.ToSlash(rel)
	if info.IsDir() {
		h.Name += "/"
	}
	h.ModTime = normalTime
	h.Uname, h.Gname = "", ""
	h.Devmajor, h.Devminor = 0, 0
	h.PAXRecords, h.Format = nil, tar.FormatUnknown
	if w.owner != nil {
		h.Uid, h.Gid = w.owner(info)
	}
}

// fileCapabilities keeps the one extended attribute that packages set.
func fileCapabilities(path string, h *tar.Header) error {
	buf := make([]byte, 64)
	n, err := unix.Lgetxattr(path, "security.capability", buf)
	switch {
	case errors.Is(err, unix.ENODATA), errors.Is(err, unix.ENOTSUP):
		return nil
	case err != nil:
		return fmt.Errorf("read capabilities of %q: %w", path, err)
	}
	h.PAXRecords = map[string]string{"SCHILY.xattr.security.capability": string(buf[:n])}
	return nil
}

func copyFile(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return errors.Join(err, f.Close())
}

// whiteouts marks what the tree below has in a directory and this tree does not.
func (w *layerWriter) whiteouts(rel string) error {
	if w.below == "" {
		return nil
	}
	lower, err := os.ReadDir(filepath.Join(w.below, rel))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, d := range lower {
		name := filepath.Join(rel, d.Name())
		if w.skip != nil && w.skip(name) {
			continue
		}
		_, err := os.Lstat(filepath.Join(w.root, name))
		if !errors.Is(err, fs.ErrNotExist) {
			if err != nil {
				return err
			}
			continue
		}
		h := &tar.Header{
			Typeflag: tar.TypeReg, Name: filepath.Join(rel, ".wh."+d.Name()),
			Mode: 0o600, ModTime: normalTime,
		}
		if err := w.tw.WriteHeader(h); err != nil {
			return err
		}
	}
	return nil
}

// sameFile says whether the lower tree has the same file: kind, mode, owner
// and content, whatever its times.
func sameFile(path, lower string, info fs.FileInfo) (bool, error) {
	old, err := os.Lstat(lower)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	a, okA := info.Sys().(*syscall.Stat_t)
	b, okB := old.Sys().(*syscall.Stat_t)
	if !okA || !okB || a.Mode != b.Mode || a.Uid != b.Uid || a.Gid != b.Gid {
		return false, nil
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		now, err := os.Readlink(path)
		if err != nil {
			return false, err
		}
		was, err := os.Readlink(lower)
		return now == was, err
	case info.Mode().IsRegular():
		if a.Size != b.Size {
			return false, nil
		}
		return sameContent(path, lower)
	default:
		return true, nil
	}
}

func sameContent(a, b string) (bool, error) {
	x, err := os.ReadFile(a)
	if err != nil {
		return false, err
	}
	y, err := os.ReadFile(b)
	if err != nil {
		return false, err
	}
	return string(x) == string(y), nil
}

// under makes a skip function for paths that lie below one of the directories;
// the directories themselves stay.
func under(dirs ...string) func(string) bool {
	return func(rel string) bool {
		for _, d := range dirs {
			if strings.HasPrefix(rel, d+"/") {
				return true
			}
		}
		return false
	}
}
