package workbench

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// A watchTree keeps watches on directories, which tell of the files in them too,
// also when a file is replaced by another of its name.
type watchTree struct {
	w       *fsnotify.Watcher
	cfg     WatchConfig
	watched map[string]bool
	trees   []string        // directories of which everything concerns us
	files   map[string]bool // files that do
	full    bool            // has said that there are too many directories
}

func newWatchTree(w *fsnotify.Watcher, cfg WatchConfig) *watchTree {
	return &watchTree{w: w, cfg: cfg, watched: make(map[string]bool), files: make(map[string]bool)}
}

// addAll watches paths, again after events were lost.
func (t *watchTree) addAll(paths []string) error {
	clear(t.watched)
	t.trees = nil
	for _, path := range paths {
		path = filepath.Clean(path)
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		if info.IsDir() {
			t.trees = append(t.trees, path)
			err = t.addTree(path)
		} else {
			t.files[path] = true
			err = t.add(filepath.Dir(path))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// addTree watches a directory and those below it. What vanishes meanwhile is no
// error.
func (t *watchTree) addTree(root string) error {
	// With a slash behind it, a symbolic link is the directory that it leads to.
	return filepath.WalkDir(root+"/", func(path string, entry fs.DirEntry, err error) error {
		path = filepath.Clean(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission):
			return nil
		case err != nil:
			return err
		case !entry.IsDir() && path != root:
			return nil
		case path != root && passedOver(entry.Name()):
			return fs.SkipDir
		case t.full:
			return fs.SkipAll
		}
		return t.add(path)
	})
}

// passedOver are directories whose content says nothing, and is much.
func passedOver(name string) bool { return name == ".git" || name == "node_modules" }

// add watches one directory, unless there are too many.
func (t *watchTree) add(dir string) error {
	if t.watched[dir] {
		return nil
	}
	if len(t.watched) >= t.cfg.Dirs {
		t.tooMany(fmt.Errorf("more than %d", t.cfg.Dirs))
		return nil
	}
	err := t.w.Add(dir)
	switch {
	case err == nil:
		t.watched[dir] = true
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission):
	case len(t.watched) > 0:
		t.tooMany(err) // the system's own limit
	default:
		return fmt.Errorf("watch %s: %w: raise fs.inotify.max_user_watches, or run slipway detect again by hand", dir, err)
	}
	return nil
}

func (t *watchTree) tooMany(err error) {
	if !t.full {
		fmt.Fprintf(t.cfg.Notices, "Not every directory is watched (%v): changes below the others go unseen.\n", err)
	}
	t.full = true
}

// concerns tells whether an event is a change of what is watched, and watches
// directories that are new.
func (t *watchTree) concerns(event fsnotify.Event) bool {
	name := filepath.Clean(event.Name)
	if !t.files[name] && !t.below(name) {
		return false
	}
	if event.Has(fsnotify.Remove) || event.Has(fsnotify.Rename) {
		t.forget(name)
	}
	if event.Has(fsnotify.Create) {
		if info, err := os.Lstat(name); err == nil && info.IsDir() {
			if err := t.addTree(name); err != nil {
				fmt.Fprintf(t.cfg.Notices, "Watching goes on with an error: %v\n", err)
			}
		}
	}
	return true
}

func (t *watchTree) below(name string) bool {
	for _, tree := range t.trees {
		rest, err := filepath.Rel(tree, name)
		if err != nil || rest == ".." || strings.HasPrefix(rest, "../") {
			continue
		}
		if first, _, _ := strings.Cut(rest, "/"); !passedOver(first) {
			return true
		}
	}
	return false
}

// forget drops watches on a directory that is gone and on those below it.
func (t *watchTree) forget(name string) {
	for dir := range t.watched {
		if dir == name || strings.HasPrefix(dir, name+"/") {
			_ = t.w.Remove(dir) // it is gone by itself where the directory is
			delete(t.watched, dir)
		}
	}
}
