package repo

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// A Quarantine holds the objects of a push until it is accepted.
type Quarantine struct {
	Objects
	repo    *Repo
	dir     string // "" if there is none
	count   int
	missing []link // links that lead nowhere, the first ones
	lost    int    // their number

	mu    sync.Mutex
	moved bool
	gone  bool
	keep  string // file that keeps `git repack` from the pack until references move
}

// NoPack is a quarantine without objects, for a push that only deletes: it
// reads the repository's objects.
func (r *Repo) NoPack() *Quarantine {
	return &Quarantine{Objects: Objects{db: r.db}, repo: r}
}

// Count is the number of objects that the pack brought.
func (q *Quarantine) Count() int { return q.count }

// Size is the pack's size on disk in bytes.
func (q *Quarantine) Size() int64 {
	if q.front == nil {
		return 0
	}
	return q.front.size
}

func isMissing(err error) bool { return errors.Is(err, ErrNotFound) }

// CheckConnected checks that the tips are there, and every link of every new
// object. It costs O(pack): what the repository has is complete already. The
// error wraps ErrMissing.
func (q *Quarantine) CheckConnected(ctx context.Context, tips []Hash) error {
	for _, l := range q.missing {
		if err := ctx.Err(); err != nil {
			return err
		}
		// An earlier push may have brought it meanwhile.
		pl, ok, err := q.db.find(l.h)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%w: %s %s", ErrMissing, l.t, l.h)
		}
		if err := q.checkPlaced(l, pl); err != nil {
			return err
		}
	}
	if q.lost > len(q.missing) {
		return fmt.Errorf("%w: %d links lead nowhere", ErrMissing, q.lost)
	}
	for _, h := range tips {
		ok, err := q.Has(h)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%w: %s, which a reference would point to", ErrMissing, h)
		}
	}
	return nil
}

// Migrate makes the objects part of the repository, durably: fsync, rename of
// pack before index, fsync of the directory.
func (q *Quarantine) Migrate() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.gone {
		return fmt.Errorf("migrate quarantine: %w", os.ErrClosed)
	}
	if q.moved {
		return nil
	}
	if q.front != nil {
		if err := q.migrate(); err != nil {
			return fmt.Errorf("migrate quarantine: %w", err)
		}
	}
	q.moved = true
	if q.dir == "" {
		return nil
	}
	return os.RemoveAll(q.dir)
}

func (q *Quarantine) migrate() error {
	// The index comes last: it is what makes the pack known.
	exts := []string{".pack", ".rev", ".idx"}
	if !q.repo.o.NoSync {
		err := syncAll(slices.Values(exts), func(ext string) error {
			return syncFile(filepath.Join(q.dir, "tmp"+ext))
		})
		if err != nil {
			return err
		}
	}
	dir := filepath.Join(q.repo.dir, "objects", "pack")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	name := "pack-" + hex.EncodeToString(q.front.idx.packSum())
	if err := q.hold(filepath.Join(dir, name+keepSuffix)); err != nil {
		return err
	}
	for _, ext := range exts {
		// A file of that name has the same content: it is named by its checksum.
		if err := os.Rename(filepath.Join(q.dir, "tmp"+ext), filepath.Join(dir, name+ext)); err != nil {
			return err
		}
	}
	if !q.repo.o.NoSync {
		if err := syncDir(dir); err != nil {
			return err
		}
	}
	q.front.name = name + ".idx"
	q.db.add(q.front)
	return nil
}

const (
	keepSuffix = ".keep"
	keepText   = "slipway: references are about to move\n"
)

// hold makes the file that tells git to leave the pack alone, as its own
// receive-pack does: no reference leads to it yet.
func (q *Quarantine) hold(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil // somebody keeps it for longer
	}
	if err != nil {
		return err
	}
	q.keep = path
	_, err = f.WriteString(keepText)
	return errors.Join(err, f.Close())
}

// Discard removes the quarantine's files. After Migrate it only allows git to
// repack the objects, so it is deferred until references have moved.
func (q *Quarantine) Discard() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	var err error
	if q.keep != "" {
		err = os.Remove(q.keep)
		q.keep = ""
	}
	if q.moved || q.gone {
		return err
	}
	q.gone = true
	if q.front != nil {
		err = errors.Join(err, q.front.close())
	}
	if q.dir != "" {
		err = errors.Join(err, os.RemoveAll(q.dir))
	}
	if err != nil {
		return fmt.Errorf("discard quarantine: %w", err)
	}
	return nil
}
