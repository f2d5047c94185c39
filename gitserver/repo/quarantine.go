package repo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
)

// A Quarantine holds the objects of a push until it is accepted.
type Quarantine struct {
	Objects
	repo    *Repo
	dir     string // "" if there is none
	count   int
	missing []link // links that lead nowhere, the first ones
	lost    int    // their number
	behind  []Hash // commits of the repository that the new ones build on, the first ones

	mu    sync.Mutex
	moved bool
	gone  bool
	keep  string   // file that keeps `git repack` from the pack until references move
	lease *flocked // keeps Sweep from what the new objects lead to; nil if there is none
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

// maxBehind is how many commits are remembered for checkBehind. Few are: what
// lies behind another one need not be linked to.
const maxBehind = 1 << 10

func (q *Quarantine) noteBehind(l link) {
	if l.t == plumbing.CommitObject && len(q.behind) < maxBehind {
		q.behind = append(q.behind, l.h)
	}
}

// checkBehind looks again for the commits that the new ones build on. No Sweep
// of ours takes them away from a push under way, but a `git gc --prune=now`
// may: whatever else the new objects lead to goes with them.
func (q *Quarantine) checkBehind() error {
	q.db.refresh() //nolint:errcheck // what is missing is refused below
	for _, h := range q.behind {
		_, ok, err := q.db.find(h)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%w: commit %s was removed meanwhile; push again", ErrMissing, h)
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
		if err := q.checkBehind(); err != nil {
			return fmt.Errorf("migrate quarantine: %w", err)
		}
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
	if !q.repo.o.NoSync {
		err := syncAll(slices.Values(packExts), func(ext string) error {
			return syncFile(filepath.Join(q.dir, "tmp"+ext))
		})
		if err != nil {
			return err
		}
	}
	// As git's own receive-pack, keep `git repack` from a pack that no
	// reference leads to yet.
	name, keep, err := q.repo.reserve(q.front.idx.packSum())
	if err != nil {
		return err
	}
	q.keep = keep
	dir := q.repo.packDir()
	for _, ext := range packExts {
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
	if q.lease != nil {
		err = errors.Join(err, q.lease.Close())
		q.lease = nil
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
