package repo

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// roots are all objects that anything leads to which git calls a reference:
// HEAD, loose and packed references, and their logs. Unlike Refs it fails where
// something makes no sense: nothing may be removed then.
func (r *Repo) roots() ([]Hash, error) {
	var roots []Hash
	// Loose ones first: they are written to packed-refs before they are removed.
	add := func(path string) error {
		b, err := os.ReadFile(path)
		if isNotExist(err) {
			return nil
		}
		if err != nil {
			return err
		}
		v, err := parseRefValue(b)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if v.target == "" {
			roots = append(roots, v.hash)
		}
		return nil
	}
	if err := add(r.path("HEAD")); err != nil {
		return nil, err
	}
	err := walkFiles(r.path("refs"), func(path string) error {
		if strings.HasSuffix(path, lockSuffix) {
			return nil
		}
		return add(path)
	})
	if err != nil {
		return nil, err
	}
	packed, err := os.ReadFile(r.path("packed-refs"))
	if err != nil && !isNotExist(err) {
		return nil, err
	}
	for line := range bytes.Lines(packed) {
		if line[0] == '#' || line[0] == '^' {
			continue
		}
		h, ok := unhexHash(string(line))
		if !ok {
			return nil, fmt.Errorf("%w: packed-refs", errBroken)
		}
		roots = append(roots, h)
	}
	logged, err := r.logged()
	return append(roots, logged...), err
}

// logged are the objects that logs of references name, if they are still there.
func (r *Repo) logged() ([]Hash, error) {
	var list []Hash
	err := walkFiles(r.path("logs"), func(path string) error {
		b, err := os.ReadFile(path)
		if err != nil && !isNotExist(err) {
			return err
		}
		for line := range bytes.Lines(b) {
			for range 2 { // the old value and the new one
				h, ok := unhexHash(string(line))
				if !ok {
					break
				}
				line = line[min(2*hashSize+1, len(line)):]
				if has, err := r.Has(h); err != nil {
					return err
				} else if has {
					list = append(list, h)
				}
			}
		}
		return nil
	})
	return list, err
}

// walkFiles calls f for the files below a directory, which need not exist.
func walkFiles(dir string, f func(path string) error) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case d.IsDir():
			return nil
		}
		return f(path)
	})
}
