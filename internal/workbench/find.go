package workbench

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// maxLooked bounds how many files and directories are looked at for cases.
const maxLooked = 2_000_000

// A found case is an app and the file with what is expected of it.
type found struct {
	name string // below the tree, or the tree itself
	app  string
	file string
	err  error // why it cannot be read
}

// find lists the cases at and below a directory, in the order of their names. It
// does not look for cases within an app that is one, nor behind symbolic links
// other than the directory itself.
func find(ctx context.Context, tree string) ([]found, error) {
	if _, err := fsOf(tree); err != nil {
		return nil, fmt.Errorf("look for expectations: %w", err)
	}
	var all []found
	looked := 0
	tree = filepath.Clean(tree)
	// With a slash behind it, a symbolic link is the directory that it leads to.
	err := filepath.WalkDir(tree+"/", func(path string, entry fs.DirEntry, err error) error {
		path = filepath.Clean(path)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if looked++; looked > maxLooked {
			return fmt.Errorf("%s has more than %d files: name a directory nearer to the cases", tree, maxLooked)
		}
		switch {
		case err != nil:
			all = append(all, found{name: nameIn(tree, path), app: path, err: err})
			return fs.SkipDir
		case !entry.IsDir():
			return nil
		case path != tree && (entry.Name() == ".git" || entry.Name() == "node_modules"):
			return fs.SkipDir
		}
		if c, ok := caseAt(path); ok {
			c.name = nameIn(tree, path)
			all = append(all, c)
			return fs.SkipDir
		}
		return nil
	})
	return all, err
}

// caseAt tells whether a directory is a case.
func caseAt(dir string) (found, bool) {
	if file := filepath.Join(dir, ExpectationFile); exists(file) {
		return found{app: dir, file: file}, true
	}
	file, app := filepath.Join(dir, expectedBeside), filepath.Join(dir, besideApp)
	if info, err := os.Lstat(app); err == nil && info.IsDir() && exists(file) {
		return found{app: app, file: file}, true
	}
	return found{}, false
}

func exists(file string) bool {
	_, err := os.Lstat(file)
	return err == nil
}

// nameIn is a path below a tree, as it was named.
func nameIn(tree, path string) string {
	return filepath.ToSlash(filepath.Join(tree, trimTree(tree, path)))
}

func trimTree(tree, path string) string {
	below, err := filepath.Rel(tree, path)
	if err != nil {
		return path
	}
	return below
}
