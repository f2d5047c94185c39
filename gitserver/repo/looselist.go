package repo

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// A looseInfo is what a directory says of a loose object.
type looseInfo struct {
	hash Hash
	time time.Time
}

// looseDir is the directory of the loose objects whose names begin with b.
func (r *Repo) looseDir(b byte) string {
	return filepath.Join(r.dir, "objects", hex.EncodeToString([]byte{b}))
}

// listLoose lists the loose objects whose names begin with b.
func (r *Repo) listLoose(b byte) ([]looseInfo, error) {
	names, err := readNames(r.looseDir(b))
	if isNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []looseInfo
	for _, n := range names {
		var h Hash
		h[0] = b
		if len(n) != 2*hashSize-2 {
			continue // a temporary file
		}
		if _, err := hex.Decode(h[1:], []byte(n)); err != nil {
			continue
		}
		st, err := os.Lstat(filepath.Join(r.looseDir(b), n))
		if isNotExist(err) {
			continue // packed meanwhile
		}
		if err != nil {
			return nil, err
		}
		list = append(list, looseInfo{h, st.ModTime()})
	}
	slices.SortFunc(list, func(x, y looseInfo) int { return compareHash(&x.hash, &y.hash) })
	return list, nil
}

// allLoose lists all loose objects, at most limit if that is positive.
func (r *Repo) allLoose(limit int) ([]looseInfo, error) {
	var all []looseInfo
	for b := range 256 {
		list, err := r.listLoose(byte(b))
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		if limit > 0 && len(all) >= limit {
			return all[:limit], nil
		}
	}
	return all, nil
}

// guessLoose guesses the number of loose objects from one directory, as
// `git gc --auto` does.
func (r *Repo) guessLoose() (int, error) {
	list, err := readNames(r.looseDir(0x17))
	if isNotExist(err) {
		return 0, nil
	}
	return 256 * len(list), err
}

// sound says whether a loose object is what its name says. It reads all of it.
func (r *Repo) sound(h Hash, x *hasher) (bool, error) {
	l, err := openLoose(r.db.dir, h)
	if isNotExist(err) || errors.Is(err, ErrCorrupt) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer l.Close() //nolint:errcheck // only read
	x.start(l.kind, l.size)
	n, err := io.Copy(hashWriter{x}, l)
	if err != nil || n != l.size {
		return false, nil // it stays as it is, for `git fsck` to tell of
	}
	got, err := x.finish()
	return err == nil && got == h, nil
}

type hashWriter struct{ x *hasher }

func (w hashWriter) Write(b []byte) (int, error) {
	w.x.write(b)
	return len(b), nil
}

// looseEntry writes a loose object, which was found sound, to the pack.
func (j *join) looseEntry(o *looseInfo) error {
	l, err := openLoose(j.r.db.dir, o.hash)
	if err != nil {
		return err
	}
	defer l.Close() //nolint:errcheck // only read
	if _, err := j.out.Write(appendEntryHead(nil, l.kind, l.size)); err != nil {
		return err
	}
	zw := j.out.deflate()
	n, err := io.Copy(zw, l)
	if err != nil {
		return err
	}
	if n != l.size {
		return fmt.Errorf("%w: loose object %s", ErrCorrupt, o.hash)
	}
	return zw.Close()
}
