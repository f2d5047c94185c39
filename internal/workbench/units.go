package workbench

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// maxUnits bounds the files of an app that is shrunk.
const maxUnits = maxCopiedFiles

// unitsOf lists what can be left out of an app: files, links and empty
// directories, these with a slash behind their names. Other directories come and
// go with what is in them, as in git.
func unitsOf(ctx context.Context, app fs.FS) ([]string, error) {
	var units []string
	err := fs.WalkDir(app, ".", func(name string, entry fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && (name == "." || !errors.Is(err, fs.ErrPermission)) {
			return err
		}
		switch {
		case name == ".":
			return nil
		case entry.IsDir():
			if err == nil && !isEmpty(app, name) {
				return nil // what cannot be listed comes again, with the error
			}
			name += "/"
		case entry.Type()&fs.ModeSymlink == 0 && !entry.Type().IsRegular():
			return nil
		}
		if units = append(units, name); len(units) > maxUnits {
			return fmt.Errorf("it has more than %d files: leave some out with --without DIRECTORY", maxUnits)
		}
		return nil
	})
	return units, err
}

func isEmpty(app fs.FS, dir string) bool {
	entries, err := fs.ReadDir(app, dir)
	return err == nil && len(entries) == 0
}

// names are the units that are kept.
func names(units []string, kept []bool) []string {
	some := []string{}
	for i, unit := range units {
		if kept[i] {
			some = append(some, unit)
		}
	}
	return some
}

func count(kept []bool) int {
	n := 0
	for _, k := range kept {
		if k {
			n++
		}
	}
	return n
}

// A set is a set of units, as a key.
type set [sha256.Size]byte

func setOf(kept []bool) set {
	bits := make([]byte, (len(kept)+7)/8)
	for i, k := range kept {
		if k {
			bits[i/8] |= 1 << (i % 8)
		}
	}
	return sha256.Sum256(bits)
}

// subset is an app with only the kept units, and the directories that they are in.
func subset(app fs.FS, units []string, kept []bool) fs.FS {
	there := parents(units, kept)
	for i, unit := range units {
		there[strings.TrimSuffix(unit, "/")] = kept[i]
	}
	return &view{base: app, hidden: func(name string) bool { return !there[name] }}
}

// parents are the directories that kept units lie in.
func parents(units []string, kept []bool) map[string]bool {
	dirs := map[string]bool{".": true}
	for i, unit := range units {
		if !kept[i] {
			continue
		}
		for dir := path.Dir(strings.TrimSuffix(unit, "/")); !dirs[dir]; dir = path.Dir(dir) {
			dirs[dir] = true
		}
	}
	return dirs
}
