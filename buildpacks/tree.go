package buildpacks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

const (
	maxFile     = 1 << 20  // of a file that decides
	maxLockFile = 16 << 20 // of a lock file, which a tool wrote
	maxLinks    = 16       // symbolic links followed for one name
	maxListed   = 60       // names shown to a pusher
)

// A tree is the app: its root listing, and the few files that are read. Links
// are followed inside the tree only, whatever the file system beneath does.
type tree struct {
	fsys  fs.FS
	names []string // the root, sorted, directories with a slash
	root  map[string]fs.DirEntry
	read  []string // names of files read so far
}

func openTree(ctx context.Context, fsys fs.FS) (*tree, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("list the root of the app: %w", err)
	}
	t := &tree{fsys: fsys, root: make(map[string]fs.DirEntry, len(entries)), names: make([]string, 0, len(entries))}
	for _, entry := range entries {
		name := entry.Name()
		t.root[name] = entry
		if entry.IsDir() {
			name += "/"
		}
		t.names = append(t.names, name)
	}
	slices.Sort(t.names)
	return t, ctx.Err()
}

// errOutside says that a symbolic link leaves the tree, or never ends.
var errOutside = errors.New("symbolic link leads out of the app")

// stat follows links, as test -e does, and returns the name they end at.
func (t *tree) stat(name string) (string, fs.FileInfo, error) {
	if first, _, _ := strings.Cut(name, "/"); t.root[first] == nil {
		return "", nil, fs.ErrNotExist
	}
	links, ok := t.fsys.(fs.ReadLinkFS)
	if !ok {
		info, err := fs.Stat(t.fsys, name)
		return name, info, err
	}
	return follow(links, name)
}

func follow(fsys fs.ReadLinkFS, name string) (string, fs.FileInfo, error) {
	done, rest := ".", strings.Split(path.Clean(name), "/")
	var info fs.FileInfo
	for hops := 0; len(rest) > 0; {
		next := path.Join(done, rest[0])
		rest = rest[1:]
		var err error
		if info, err = fsys.Lstat(next); err != nil {
			return "", nil, err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			done = next
			continue
		}
		if hops++; hops > maxLinks {
			return "", nil, errOutside
		}
		target, err := fsys.ReadLink(next)
		if err != nil {
			return "", nil, err
		}
		if path.IsAbs(target) {
			return "", nil, errOutside
		}
		if target = path.Join(done, target); target == ".." || strings.HasPrefix(target, "../") {
			return "", nil, errOutside
		}
		done, rest = ".", append(strings.Split(target, "/"), rest...)
	}
	return done, info, nil
}

func (t *tree) exists(name string) bool {
	_, _, err := t.stat(name)
	return err == nil
}

func (t *tree) isDir(name string) bool {
	_, info, err := t.stat(name)
	return err == nil && info.IsDir()
}

func (t *tree) isFile(name string) bool {
	_, info, err := t.stat(name)
	return err == nil && info.Mode().IsRegular()
}

// kind says what a name is that is no file, for a person.
func (t *tree) kind(name string) string {
	_, info, err := t.stat(name)
	switch {
	case errors.Is(err, errOutside):
		return "a symbolic link that leads out of your app, or in a circle"
	case errors.Is(err, fs.ErrNotExist):
		return "a symbolic link to a file that isn't in your app"
	case err != nil:
		return cut(err.Error())
	case info.IsDir():
		return "a directory"
	default:
		return "neither a file nor a directory"
	}
}

// glob returns the first name in the root, in order, that matches pattern and
// is a file.
func (t *tree) glob(pattern string) string {
	for _, name := range t.names {
		if ok, err := path.Match(pattern, name); ok && err == nil && t.isFile(name) {
			return name
		}
	}
	return ""
}

// content returns the whole file. What keeps it from being read is a
// *DetectError.
func (t *tree) content(name string, limit int64) ([]byte, error) {
	if !slices.Contains(t.read, name) {
		t.read = append(t.read, name)
	}
	at, _, err := t.stat(name)
	if err != nil {
		return nil, unreadable(name, err)
	}
	f, err := t.fsys.Open(at)
	if err != nil {
		return nil, unreadable(name, err)
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, unreadable(name, err)
	}
	if int64(len(data)) > limit {
		return nil, tooLarge(name, limit)
	}
	return data, nil
}

// listing is the root for a person, at most maxListed names of it.
func (t *tree) listing() []string { return listed(t.names) }

func listed(names []string) []string {
	if len(names) == 0 {
		return []string{"(nothing)"}
	}
	out := make([]string, 0, min(len(names), maxListed+1))
	for _, name := range names[:min(len(names), maxListed)] {
		out = append(out, visible(name))
	}
	if more := len(names) - maxListed; more > 0 {
		out = append(out, fmt.Sprintf("… and %d more", more))
	}
	return out
}

// below lists dir two levels deep, as much of it as is shown.
func (t *tree) below(dir string) []string {
	at, info, err := t.stat(dir)
	if err != nil || !info.IsDir() {
		return nil
	}
	var names []string
	for _, entry := range t.readDir(at) {
		name := dir + "/" + entry.Name()
		names = append(names, name)
		if len(names) > maxListed || !entry.IsDir() {
			continue
		}
		for _, sub := range t.readDir(at + "/" + entry.Name()) {
			names = append(names, name+"/"+sub.Name())
		}
	}
	slices.Sort(names)
	return names
}

// readDir reads enough of a directory to show it.
func (t *tree) readDir(name string) []fs.DirEntry {
	f, err := t.fsys.Open(name)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }() // it was only read
	dir, ok := f.(fs.ReadDirFile)
	if !ok {
		return nil
	}
	entries, err := dir.ReadDir(maxListed + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil
	}
	return entries
}

// visible makes what an app brought safe to print and its odd characters
// seen: all but printable characters, spaces and tabs become U+FFFD.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == ' ' || isPrint(r) {
			return r
		}
		return '\uFFFD'
	}, s)
}
