package detector

import (
	"io/fs"
	"maps"
	"slices"
	"sync"
)

// A watchedFS remembers which files were opened, for buildpacks that answer in
// this process.
type watchedFS struct {
	fs.FS
	mu     sync.Mutex
	opened map[string]bool
}

// A linkedFS is a watchedFS over one that has links.
type linkedFS struct {
	*watchedFS
	links fs.ReadLinkFS
}

func watch(fsys fs.FS) *watchedFS { return &watchedFS{FS: fsys, opened: map[string]bool{}} }

// Open implements [fs.FS].
func (w *watchedFS) Open(name string) (fs.File, error) {
	f, err := w.FS.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		w.mu.Lock()
		w.opened[name] = true
		w.mu.Unlock()
	}
	return f, nil
}

// ReadDir implements [fs.ReadDirFS].
func (w *watchedFS) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(w.FS, name) }

// Stat implements [fs.StatFS].
func (w *watchedFS) Stat(name string) (fs.FileInfo, error) { return fs.Stat(w.FS, name) }

// names are the files that were opened, sorted.
func (w *watchedFS) names() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.opened))
}

// withLinks is w with what it takes to follow links, if the tree below has it.
func (w *watchedFS) withLinks() fs.FS {
	if links, ok := w.FS.(fs.ReadLinkFS); ok {
		return linkedFS{w, links}
	}
	return w
}

// Lstat implements [fs.ReadLinkFS].
func (l linkedFS) Lstat(name string) (fs.FileInfo, error) { return l.links.Lstat(name) }

// ReadLink implements [fs.ReadLinkFS].
func (l linkedFS) ReadLink(name string) (string, error) { return l.links.ReadLink(name) }
