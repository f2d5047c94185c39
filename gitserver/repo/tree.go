package repo

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// Tree is the tree of a commit (or of a tag that leads to one, or a tree) as a
// read-only file system: no checkout. It implements [fs.ReadDirFS],
// [fs.ReadFileFS], [fs.StatFS] and [fs.ReadLinkFS]. Names may be of any bytes,
// as git's are. Open and Stat follow symbolic links inside of the tree. Submodules are empty directories. All
// times are the commit's. It is readable until the quarantine is discarded or
// the repository is closed; a migrated quarantine stays readable.
func (o *Objects) Tree(commit Hash) (fs.FS, error) {
	h, kind, err := o.Peel(commit)
	if err != nil {
		return nil, fmt.Errorf("open tree of %s: %w", commit, err)
	}
	t := &treeFS{o: o, root: h, dirs: make(map[Hash][]*node)}
	switch kind { //nolint:exhaustive // the default says the rest
	case plumbing.CommitObject:
		c, err := o.Commit(h)
		if err != nil {
			return nil, fmt.Errorf("open tree of %s: %w", commit, err)
		}
		t.root, t.time = c.Tree, c.Committer.When
	case plumbing.TreeObject:
	default:
		return nil, fmt.Errorf("open tree: %w: %s is a %s, not a commit", ErrType, h, kind)
	}
	if _, err := t.list(t.root); err != nil {
		return nil, fmt.Errorf("open tree of %s: %w", commit, err)
	}
	return t, nil
}

// A treeFS is a tree as a file system.
type treeFS struct {
	o    *Objects
	root Hash
	time time.Time

	mu    sync.Mutex
	dirs  map[Hash][]*node // by name
	nodes int              // in dirs, which count as one each, too
}

var _ interface {
	fs.ReadDirFS
	fs.ReadFileFS
	fs.StatFS
	fs.ReadLinkFS
} = (*treeFS)(nil)

// A node is an entry of a tree. It is its own fs.FileInfo and fs.DirEntry.
type node struct {
	t    *treeFS
	name string
	mode fs.FileMode
	hash Hash
	void bool // a submodule
}

func (n *node) Name() string               { return n.name }
func (n *node) IsDir() bool                { return n.mode.IsDir() }
func (n *node) Mode() fs.FileMode          { return n.mode }
func (n *node) Type() fs.FileMode          { return n.mode.Type() }
func (n *node) ModTime() time.Time         { return n.t.time }
func (n *node) Sys() any                   { return n.hash }
func (n *node) String() string             { return fs.FormatDirEntry(n) }
func (n *node) Info() (fs.FileInfo, error) { return n.info() }

// A sized node knows the size of its blob.
type sized struct {
	*node
	size int64
}

func (s *sized) Size() int64    { return s.size }
func (s *sized) String() string { return fs.FormatFileInfo(s) }

func (n *node) info() (fs.FileInfo, error) {
	s := &sized{node: n}
	if n.IsDir() {
		return s, nil
	}
	kind, size, err := n.t.o.Stat(n.hash)
	if err != nil {
		return nil, err
	}
	if kind != plumbing.BlobObject {
		return nil, fmt.Errorf("%w: %s is a %s, not a blob", ErrType, n.hash, kind)
	}
	s.size = size
	return s, nil
}

// maxNodes is how many entries of directories are kept parsed.
const maxNodes = 128 << 10

// list parses the tree h.
func (t *treeFS) list(h Hash) ([]*node, error) {
	t.mu.Lock()
	nodes, ok := t.dirs[h]
	t.mu.Unlock()
	if ok {
		return nodes, nil
	}
	data, err := t.o.typed(h, plumbing.TreeObject)
	if err != nil {
		return nil, err
	}
	for len(data) > 0 {
		e, rest, ok := nextTreeEntry(data)
		if !ok {
			return nil, fmt.Errorf("%w: tree %s", ErrCorrupt, h)
		}
		data = rest
		nodes = append(nodes, t.node(&e))
	}
	// Git sorts trees as if they ended with a slash.
	slices.SortFunc(nodes, func(a, b *node) int { return strings.Compare(a.name, b.name) })
	t.keep(h, nodes)
	return nodes, nil
}

// keep remembers a parsed tree. Large ones push all others out.
func (t *treeFS) keep(h Hash, nodes []*node) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.dirs[h]; ok {
		return
	}
	if t.nodes += len(nodes) + 1; t.nodes > maxNodes {
		clear(t.dirs)
		t.nodes = len(nodes) + 1
	}
	t.dirs[h] = nodes
}

func (t *treeFS) node(e *treeEntry) *node {
	n := &node{t: t, name: string(e.name), hash: e.hash, mode: 0o644}
	switch e.mode & modeType {
	case modeTree:
		n.mode = fs.ModeDir | 0o755
	case modeGitlink:
		n.mode, n.void = fs.ModeDir|0o755, true
	case modeLink:
		n.mode = fs.ModeSymlink | 0o777
	default:
		if e.mode&0o100 != 0 {
			n.mode = 0o755
		}
	}
	return n
}

func (t *treeFS) rootNode() *node {
	return &node{t: t, name: ".", hash: t.root, mode: fs.ModeDir | 0o755}
}

// maxLinks is how many symbolic links one path may go through, as on Linux.
const maxLinks = 40

// lookup finds the node of a valid path, following symbolic links on the way,
// and at its end if follow is set. Links that lead out of the tree lead nowhere.
func (t *treeFS) lookup(name string, follow bool) (*node, error) {
	at := []*node{t.rootNode()} // the nodes from the root to here
	todo := strings.Split(name, "/")
	for links := 0; len(todo) > 0; {
		part := todo[0]
		todo = todo[1:]
		here := at[len(at)-1]
		if !here.IsDir() {
			return nil, fs.ErrNotExist
		}
		switch part {
		case "", ".":
			continue
		case "..":
			if len(at) == 1 {
				return nil, fs.ErrNotExist
			}
			at = at[:len(at)-1]
			continue
		}
		n, err := t.child(here, part)
		if err != nil {
			return nil, err
		}
		if n.mode.Type() != fs.ModeSymlink || len(todo) == 0 && !follow {
			at = append(at, n)
			continue
		}
		if links++; links > maxLinks {
			return nil, fmt.Errorf("%w: too many symbolic links", fs.ErrInvalid)
		}
		target, err := t.target(n)
		if err != nil {
			return nil, err
		}
		if path.IsAbs(target) {
			return nil, fs.ErrNotExist
		}
		todo = append(strings.Split(target, "/"), todo...)
	}
	return at[len(at)-1], nil
}

func (t *treeFS) child(dir *node, name string) (*node, error) {
	if dir.void {
		return nil, fs.ErrNotExist
	}
	nodes, err := t.list(dir.hash)
	if err != nil {
		return nil, err
	}
	i, ok := slices.BinarySearchFunc(nodes, name, func(n *node, s string) int { return strings.Compare(n.name, s) })
	if !ok {
		return nil, fs.ErrNotExist
	}
	return nodes[i], nil
}

// maxTarget is how long a symbolic link's target may be.
const maxTarget = 4096

func (t *treeFS) target(n *node) (string, error) {
	rc, size, err := t.o.Blob(n.hash)
	if err != nil {
		return "", err
	}
	defer rc.Close() //nolint:errcheck // only read
	if size > maxTarget {
		return "", fmt.Errorf("%w: target of a symbolic link is too long", fs.ErrInvalid)
	}
	b, err := io.ReadAll(rc)
	return string(b), err
}

func (t *treeFS) find(op, name string, follow bool) (*node, error) {
	if !validPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	n, err := t.lookup(name, follow)
	if err != nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return n, nil
}

// validPath is [fs.ValidPath] for names of any bytes: git's are not all UTF-8.
func validPath(name string) bool {
	if name == "." {
		return true
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return true
}

// Open opens a file, following symbolic links.
func (t *treeFS) Open(name string) (fs.File, error) {
	n, err := t.find("open", name, true)
	if err != nil {
		return nil, err
	}
	if n.IsDir() {
		entries, err := t.entries(n)
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		return &dirFile{n: named(n, name), entries: entries}, nil
	}
	rc, size, err := t.o.Blob(n.hash)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &blobFile{ReadCloser: rc, info: &sized{named(n, name), size}}, nil
}

// named is the node under the name that it was asked for by, which differs
// behind a symbolic link.
func named(n *node, name string) *node {
	c := *n
	c.name = path.Base(name)
	return &c
}

func (t *treeFS) entries(n *node) ([]fs.DirEntry, error) {
	if n.void {
		return nil, nil
	}
	nodes, err := t.list(n.hash)
	if err != nil {
		return nil, err
	}
	out := make([]fs.DirEntry, len(nodes))
	for i, n := range nodes {
		out[i] = n
	}
	return out, nil
}

// ReadDir lists a directory by name.
func (t *treeFS) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := t.find("readdir", name, true)
	if err != nil {
		return nil, err
	}
	if !n.IsDir() {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errNotDir}
	}
	entries, err := t.entries(n)
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	return entries, nil
}

// ReadFile reads a file whole, following symbolic links.
func (t *treeFS) ReadFile(name string) ([]byte, error) {
	n, err := t.find("readfile", name, true)
	if err != nil {
		return nil, err
	}
	if n.IsDir() {
		return nil, &fs.PathError{Op: "readfile", Path: name, Err: errIsDir}
	}
	data, err := t.o.typed(n.hash, plumbing.BlobObject)
	if err != nil {
		return nil, &fs.PathError{Op: "readfile", Path: name, Err: err}
	}
	return bytes.Clone(data), nil
}

// Stat describes a file, following symbolic links.
func (t *treeFS) Stat(name string) (fs.FileInfo, error) {
	return t.stat("stat", name, true)
}

// Lstat describes a file or a symbolic link.
func (t *treeFS) Lstat(name string) (fs.FileInfo, error) {
	return t.stat("lstat", name, false)
}

func (t *treeFS) stat(op, name string, follow bool) (fs.FileInfo, error) {
	n, err := t.find(op, name, follow)
	if err != nil {
		return nil, err
	}
	info, err := named(n, name).info()
	if err != nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return info, nil
}

// ReadLink returns the target of a symbolic link.
func (t *treeFS) ReadLink(name string) (string, error) {
	n, err := t.find("readlink", name, false)
	if err != nil {
		return "", err
	}
	if n.mode.Type() != fs.ModeSymlink {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	target, err := t.target(n)
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: err}
	}
	return target, nil
}
