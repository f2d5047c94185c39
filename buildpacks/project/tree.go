package project

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
)

// A tree is an app without what it leaves out.
type tree struct {
	fsys fs.FS
	out  map[string]bool // what is left out; a folder stands for all below it
}

var _ interface {
	fs.ReadDirFS
	fs.StatFS
	fs.ReadLinkFS
} = (*tree)(nil)

// has is nil for a name that is not left out.
func (t *tree) has(op, name string) error {
	for at := name; at != "." && at != "/"; at = path.Dir(at) {
		if t.out[at] {
			return &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
	}
	return nil
}

// Open opens a file or a folder.
func (t *tree) Open(name string) (fs.File, error) {
	if err := t.has("open", name); err != nil {
		return nil, err
	}
	f, err := t.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	if dir, is := f.(fs.ReadDirFile); is {
		return &folder{ReadDirFile: dir, tree: t, name: name}, nil
	}
	return f, nil
}

// ReadDir lists a folder.
func (t *tree) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := t.has("readdir", name); err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(t.fsys, name)
	return t.kept(name, entries), err
}

// Stat describes what a name leads to.
func (t *tree) Stat(name string) (fs.FileInfo, error) {
	if err := t.has("stat", name); err != nil {
		return nil, err
	}
	return fs.Stat(t.fsys, name)
}

// Lstat describes what has a name.
func (t *tree) Lstat(name string) (fs.FileInfo, error) {
	if err := t.has("lstat", name); err != nil {
		return nil, err
	}
	return fs.Lstat(t.fsys, name)
}

// ReadLink reads a link.
func (t *tree) ReadLink(name string) (string, error) {
	if err := t.has("readlink", name); err != nil {
		return "", err
	}
	return fs.ReadLink(t.fsys, name)
}

// kept leaves the slice as it is: it may be the file system's own.
func (t *tree) kept(dir string, entries []fs.DirEntry) []fs.DirEntry {
	out := func(e fs.DirEntry) bool { return t.out[path.Join(dir, e.Name())] }
	if !slices.ContainsFunc(entries, out) {
		return entries
	}
	return slices.DeleteFunc(slices.Clone(entries), out)
}

// A folder is listed without what is left out of it.
type folder struct {
	fs.ReadDirFile
	tree *tree
	name string
}

// ReadDir lists at most n entries, as [fs.ReadDirFile] says.
func (f *folder) ReadDir(n int) ([]fs.DirEntry, error) {
	for {
		entries, err := f.ReadDirFile.ReadDir(n)
		kept := f.tree.kept(f.name, entries)
		if n <= 0 || err != nil || len(kept) > 0 || len(entries) == 0 {
			if len(kept) > 0 && errors.Is(err, io.EOF) {
				err = nil // the next call says so again
			}
			return kept, err
		}
	}
}

// A leaving decides what is left out of a tree.
type leaving struct {
	file     string // that says so
	patterns Patterns
	only     bool // the patterns say what stays
	limits   Limits

	work    work
	visited int
	tree    *tree
	files   int // left out, a folder of them counting as one
}

// matchWork bounds the matching of one tree's patterns: some seconds.
const matchWork = 1 << 28

// visits is how many times as many names as an app may have are looked at, some
// of them to be left out.
const visits = 4

// leave walks through a tree.
func leave(ctx context.Context, fsys fs.FS, l leaving) (*tree, int, error) {
	if inner, is := fsys.(*tree); is {
		// A tree of a tree would look each name up twice.
		l.tree = &tree{fsys: inner.fsys, out: inner.out}
	} else {
		l.tree = &tree{fsys: fsys, out: make(map[string]bool)}
	}
	l.work.left = l.limits.work
	_, err := l.folder(ctx, ".", false)
	return l.tree, l.files, err
}

// folder decides on what is in a folder, and tells whether anything stays. All
// of a folder that is named by itself stays.
func (l *leaving) folder(ctx context.Context, dir string, named bool) (stays bool, err error) {
	entries, err := l.tree.ReadDir(dir)
	if err != nil {
		return false, fmt.Errorf("list %q of the app: %w", dir, err)
	}
	for _, e := range entries {
		if err := l.visit(ctx); err != nil {
			return false, err
		}
		name := path.Join(dir, e.Name())
		kept, err := l.entry(ctx, name, e.IsDir(), named)
		if err != nil {
			return false, err
		}
		stays = stays || kept
		if kept {
			continue
		}
		l.tree.out[name] = true
		if !l.only || !e.IsDir() { // else what is in it was counted
			l.files++
		}
	}
	return stays, nil
}

func (l *leaving) visit(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if l.visited++; l.visited > visits*l.limits.Files {
		return bad("", 0, "The app has more than %d files and folders, those that are left out included.\nKeep them out of the repository.", visits*l.limits.Files)
	}
	if l.work.left < 0 {
		return bad(l.file, 0, "the patterns take too long to match the app's files: write fewer, or ones with fewer stars.")
	}
	return nil
}

func (l *leaving) entry(ctx context.Context, name string, isFolder, named bool) (stays bool, err error) {
	matched, negated := l.patterns.match(&l.work, name, isFolder)
	if !l.only {
		if matched && !negated {
			return false, nil
		}
		if isFolder {
			_, err = l.folder(ctx, name, false)
		}
		return true, err
	}
	if matched {
		named = !negated
	}
	if !isFolder {
		return named, nil
	}
	inside, err := l.folder(ctx, name, named)
	return inside || named, err
}
