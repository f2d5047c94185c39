package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// CleanStale removes what a killed server left: quarantines, temporary files
// and its lock files (those of C git stay). Call it before serving.
func (r *Repo) CleanStale() error {
	err := errors.Join(r.cleanObjects(), r.cleanPacks(), r.cleanLocks())
	if err != nil {
		return fmt.Errorf("clean %s: %w", r.dir, err)
	}
	return nil
}

func (r *Repo) cleanObjects() error {
	var err error
	for _, prefix := range []string{quarantinePrefix, draftPrefix} {
		dirs, gerr := filepath.Glob(filepath.Join(escapeGlob(r.dir), "objects", prefix+"*"))
		err = errors.Join(err, gerr)
		for _, d := range dirs {
			err = errors.Join(err, os.RemoveAll(d))
		}
	}
	return err
}

// halfPackAge is how old a pack without an index must be to be taken for the
// trace of a crash, and not of a `git repack` at work.
const halfPackAge = time.Hour

func (r *Repo) cleanPacks() error {
	dir := filepath.Join(r.dir, "objects", "pack")
	names, err := readNames(dir)
	if isNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	have := make(map[string]bool, len(names))
	for _, n := range names {
		have[n] = true
	}
	for _, n := range names {
		path := filepath.Join(dir, n)
		if strings.HasSuffix(n, keepSuffix) {
			if b, rerr := os.ReadFile(path); rerr == nil && string(b) == keepText {
				err = errors.Join(err, os.Remove(path))
			}
			continue
		}
		if halfPack(path, n, have) {
			err = errors.Join(err, os.Remove(path))
		}
	}
	return err
}

// halfPack says whether a file belongs to a pack whose index never came.
func halfPack(path, name string, have map[string]bool) bool {
	stem, ok := name, false
	for _, ext := range []string{".pack", ".rev", ".bitmap"} {
		if !ok {
			stem, ok = strings.CutSuffix(name, ext)
		}
	}
	if !ok || !strings.HasPrefix(stem, "pack-") || have[stem+".idx"] {
		return false
	}
	st, err := os.Lstat(path)
	return err == nil && time.Since(st.ModTime()) >= halfPackAge
}

// cleanLocks removes the lock files that have a second name in our directory.
func (r *Repo) cleanLocks() error {
	twins, err := os.ReadDir(r.path(locksDir))
	if isNotExist(err) || err == nil && len(twins) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	var ours []fs.FileInfo
	for _, d := range twins {
		if st, err := d.Info(); err == nil {
			ours = append(ours, st)
		}
	}
	locks := []string{r.path("HEAD") + lockSuffix, r.path("packed-refs") + lockSuffix}
	err = filepath.WalkDir(r.path("refs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, lockSuffix) {
			locks = append(locks, path)
		}
		return err
	})
	for _, path := range locks {
		if st, serr := os.Lstat(path); serr == nil && isOneOf(st, ours) {
			err = errors.Join(err, r.breakLock(path))
		}
	}
	for _, d := range twins {
		err = errors.Join(err, os.Remove(r.path(locksDir+"/"+d.Name())))
	}
	return err
}

func (r *Repo) breakLock(path string) error {
	if path == r.path("packed-refs")+lockSuffix {
		if err := os.Remove(r.path("packed-refs") + packedNew); err != nil && !isNotExist(err) {
			return err
		}
	}
	return os.Remove(path)
}

func isOneOf(st fs.FileInfo, list []fs.FileInfo) bool {
	for _, o := range list {
		if os.SameFile(st, o) {
			return true
		}
	}
	return false
}

// escapeGlob makes a path match itself only.
func escapeGlob(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}
