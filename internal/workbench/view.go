package workbench

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// maxHops bounds the symbolic links that are followed for one name.
const maxHops = 40

// An added file or directory is in no base.
type added struct {
	data []byte
	mode fs.FileMode
}

// A view is a tree of files with some of them hidden and others added. Symbolic
// links are followed within the view only.
type view struct {
	base   fs.FS
	hidden func(name string) bool // of names of base; hides what is below, too
	added  map[string]added       // with the directories above each
}

var (
	_ fs.ReadDirFS  = (*view)(nil)
	_ fs.ReadFileFS = (*view)(nil)
	_ fs.StatFS     = (*view)(nil)
	_ fs.ReadLinkFS = (*view)(nil)
)

// fits tells whether a file can be added: what lies above it must be directories,
// and a directory is not replaced by a file.
func (v *view) fits(name string, file added) error {
	info, err := v.lstatBase(name)
	switch have := err == nil; {
	case have && file.mode.IsDir() && !info.IsDir():
		return fmt.Errorf("%q is not a directory: leave it out first, with --without %s", name, name)
	case have && !file.mode.IsDir() && info.IsDir():
		return fmt.Errorf("%q is a directory: leave it out first, with --without %s", name, name)
	}
	return nil
}

// lstatBase is about what the base has and is not hidden.
func (v *view) lstatBase(name string) (fs.FileInfo, error) {
	for above := name; above != "."; above = path.Dir(above) {
		if v.hidden(above) {
			return nil, fs.ErrNotExist
		}
	}
	if links, ok := v.base.(fs.ReadLinkFS); ok {
		return links.Lstat(name)
	}
	return fs.Stat(v.base, name)
}

// Lstat describes a file, or a symbolic link itself.
func (v *view) Lstat(name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrInvalid}
	}
	file, isAdded := v.added[name]
	if isAdded && !file.mode.IsDir() {
		return addedInfo{path.Base(name), file}, nil
	}
	info, err := v.lstatBase(name)
	if err != nil && isAdded {
		return addedInfo{path.Base(name), file}, nil
	}
	if err != nil {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: unwrapPath(err)}
	}
	return info, nil
}

// ReadLink returns where a symbolic link of the base leads.
func (v *view) ReadLink(name string) (string, error) {
	info, err := v.Lstat(name)
	if err != nil {
		return "", err
	}
	links, ok := v.base.(fs.ReadLinkFS)
	if !ok || info.Mode()&fs.ModeSymlink == 0 {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	return links.ReadLink(name)
}

// resolve follows symbolic links and returns the name at their end.
func (v *view) resolve(op, name string) (string, fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return "", nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	done, rest := ".", strings.Split(name, "/")
	info, err := v.Lstat(".")
	for hops := 0; err == nil && len(rest) > 0; {
		next := path.Join(done, rest[0])
		rest = rest[1:]
		info, err = v.Lstat(next)
		if err != nil || info.Mode()&fs.ModeSymlink == 0 {
			done = next
			continue
		}
		target, linkErr := v.ReadLink(next)
		if linkErr != nil {
			return "", nil, linkErr
		}
		absolute := path.IsAbs(target)
		target = path.Join(done, target)
		if hops++; hops > maxHops || absolute || !fs.ValidPath(target) {
			return "", nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
		done, rest = ".", append(strings.Split(target, "/"), rest...)
	}
	if err != nil {
		return "", nil, &fs.PathError{Op: op, Path: name, Err: unwrapPath(err)}
	}
	return done, info, nil
}

// Stat describes the file at the end of symbolic links.
func (v *view) Stat(name string) (fs.FileInfo, error) {
	_, info, err := v.resolve("stat", name)
	return info, err
}

// Open opens a file or a directory.
func (v *view) Open(name string) (fs.File, error) {
	at, info, err := v.resolve("open", name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		entries, err := v.ReadDir(at)
		if err != nil {
			return nil, err
		}
		return &dirFile{info: info, entries: entries}, nil
	}
	if file, ok := v.added[at]; ok {
		return &addedFile{Reader: strings.NewReader(string(file.data)), info: info}, nil
	}
	return v.base.Open(at)
}

// ReadFile returns the content of a file.
func (v *view) ReadFile(name string) ([]byte, error) {
	at, info, err := v.resolve("read", name)
	if err != nil {
		return nil, err
	}
	if file, ok := v.added[at]; ok && !info.IsDir() {
		return slices.Clone(file.data), nil
	}
	return fs.ReadFile(v.base, at)
}

// ReadDir lists a directory, sorted.
func (v *view) ReadDir(name string) ([]fs.DirEntry, error) {
	at, info, err := v.resolve("readdir", name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errNoDirectory}
	}
	var entries []fs.DirEntry
	if _, err := v.lstatBase(at); err == nil {
		listed, err := fs.ReadDir(v.base, at)
		if err != nil {
			return nil, err
		}
		for _, entry := range listed {
			full := path.Join(at, entry.Name())
			if _, replaced := v.added[full]; !replaced && !v.hidden(full) {
				entries = append(entries, entry)
			}
		}
	}
	for full := range v.added {
		if path.Dir(full) != at {
			continue
		}
		info, err := v.Lstat(full)
		if err != nil {
			return nil, err
		}
		entries = append(entries, fs.FileInfoToDirEntry(info))
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// unwrapPath is the cause of an error, without the name that it happened to.
func unwrapPath(err error) error {
	if e, ok := err.(*fs.PathError); ok { //nolint:errorlint // only the outermost
		return e.Err
	}
	return err
}

// addedInfo describes an added file.
type addedInfo struct {
	name string
	file added
}

func (i addedInfo) Name() string       { return i.name }
func (i addedInfo) Size() int64        { return int64(len(i.file.data)) }
func (i addedInfo) Mode() fs.FileMode  { return i.file.mode }
func (i addedInfo) ModTime() time.Time { return time.Time{} }
func (i addedInfo) IsDir() bool        { return i.file.mode.IsDir() }
func (i addedInfo) Sys() any           { return nil }

// addedFile is an added file that is open.
type addedFile struct {
	*strings.Reader
	info fs.FileInfo
}

func (f *addedFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *addedFile) Close() error               { return nil }

// dirFile is a directory that is open.
type dirFile struct {
	info    fs.FileInfo
	entries []fs.DirEntry
}

func (f *dirFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *dirFile) Close() error               { return nil }

func (f *dirFile) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.info.Name(), Err: fs.ErrInvalid}
}

// ReadDir returns the next n entries, or all that are left if n is not positive.
func (f *dirFile) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 || n > len(f.entries) {
		if n > 0 && len(f.entries) == 0 {
			return nil, io.EOF
		}
		n = len(f.entries)
	}
	next := f.entries[:n:n]
	f.entries = f.entries[n:]
	return next, nil
}
