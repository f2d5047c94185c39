package repo

import (
	"io"
	"io/fs"
	"slices"
	"syscall"
)

// What the operating system says of files that are of the wrong kind.
const (
	errNotDir = syscall.ENOTDIR
	errIsDir  = syscall.EISDIR
)

// A blobFile is an open file of a tree.
type blobFile struct {
	io.ReadCloser
	info fs.FileInfo
}

// Stat describes the file.
func (f *blobFile) Stat() (fs.FileInfo, error) { return f.info, nil }

// A dirFile is an open directory of a tree.
type dirFile struct {
	n       *node
	entries []fs.DirEntry
}

var _ fs.ReadDirFile = (*dirFile)(nil)

// Stat describes the directory.
func (d *dirFile) Stat() (fs.FileInfo, error) { return d.n.info() }

// Read fails: a directory has no content.
func (d *dirFile) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.n.name, Err: errIsDir}
}

// Close does nothing.
func (d *dirFile) Close() error { return nil }

// ReadDir lists the next n entries, or all that are left.
func (d *dirFile) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(d.entries)
	} else if len(d.entries) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.entries))
	out := slices.Clone(d.entries[:n])
	d.entries = d.entries[n:]
	return out, nil
}
