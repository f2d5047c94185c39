package repo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// RepackOptions say when Repack has something to do.
type RepackOptions struct {
	MinPacks int   // packs that would be joined; 2 if zero
	MinLoose int   // loose objects, by a guess; 1 if zero, never packed if negative
	Rate     int64 // bytes a second that are written; no bound if zero
}

// Repacked is what Repack did.
type Repacked struct {
	Packs   int   // packs that were joined and removed
	Loose   int   // loose objects that were packed and removed
	Objects int   // objects written
	Bytes   int64 // bytes of packs written
}

// atOnce is how many packs are open at once, atOnceLoose how many loose
// objects are packed at once.
const (
	atOnce      = 500
	atOnceLoose = 100_000
)

// Repack joins small packs, and packs loose objects, until each pack has at
// least twice the objects of the next smaller one. Entries are copied as they
// lie; duplicates go. The packs that were joined are removed once the new one
// is durable, so that a crash loses nothing. Who has them open goes on reading
// them. Packs that somebody keeps, a push under way say, are left alone.
//
// The error is ErrBusy if somebody else repacks or `git gc` is at work.
func (r *Repo) Repack(ctx context.Context, o RepackOptions) (Repacked, error) {
	var done Repacked
	lock, err := r.lockUpkeep(ctx)
	if err == nil {
		err = errors.Join(r.repack(ctx, o, &done), lock.Close())
	}
	if err != nil {
		return done, fmt.Errorf("repack %s: %w", r.dir, err)
	}
	return done, nil
}

func (r *Repo) repack(ctx context.Context, o RepackOptions, done *Repacked) error {
	pace := newPacer(o.Rate)
	if err := r.packLoose(ctx, o, pace, done); err != nil {
		return err
	}
	for least := max(2, o.MinPacks); ; least = 2 {
		packs, err := r.listPacks()
		if err != nil {
			return err
		}
		packs = rollUp(packs)
		if len(packs) < least {
			return nil
		}
		if err := r.joinPacks(ctx, packs[:min(atOnce, len(packs))], pace, done); err != nil {
			return err
		}
	}
}

// joinPacks makes one pack of several.
func (r *Repo) joinPacks(ctx context.Context, packs []packInfo, pace *pacer, done *Repacked) (err error) {
	j := &join{ctx: ctx, r: r, pace: pace}
	defer func() { err = errors.Join(err, j.close()) }()
	newest, err := j.open(packs)
	if err != nil {
		return err
	}
	d, err := r.draft(j)
	if err != nil {
		return err
	}
	defer d.discard()
	if err := r.stillThere(j.packs); err != nil {
		return err
	}
	if err := r.install(d, newest); err != nil {
		return err
	}
	done.Packs += len(packs)
	done.Objects += len(j.members)
	done.Bytes += j.out.at
	return r.removePacks(packs)
}

// packLoose makes packs of loose objects, if there are many.
func (r *Repo) packLoose(ctx context.Context, o RepackOptions, pace *pacer, done *Repacked) error {
	if o.MinLoose < 0 {
		return nil
	}
	if o.MinLoose > 1 {
		n, err := r.guessLoose()
		if err != nil || n < o.MinLoose {
			return err
		}
	}
	loose, err := r.allLoose(0)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(loose, atOnceLoose) {
		if err := r.packSome(ctx, chunk, pace, done); err != nil {
			return err
		}
	}
	return nil
}

func (r *Repo) packSome(ctx context.Context, loose []looseInfo, pace *pacer, done *Repacked) error {
	x := newHasher()
	j := &join{ctx: ctx, r: r, pace: pace}
	for _, o := range loose {
		ok, err := r.sound(o.hash, x)
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		if ok {
			j.loose = append(j.loose, o)
		}
	}
	if len(j.loose) == 0 {
		return nil
	}
	d, err := r.draft(j)
	if err != nil {
		return err
	}
	defer d.discard()
	if err := r.gcRuns(); err != nil {
		return err
	}
	newest := slices.MaxFunc(j.loose, func(a, b looseInfo) int { return a.time.Compare(b.time) })
	if err := r.install(d, newest.time); err != nil {
		return err
	}
	done.Loose += len(j.loose)
	done.Objects += len(j.members)
	done.Bytes += j.out.at
	return r.removeLoose(j.loose)
}

// removeLoose removes loose objects, and directories that they leave empty.
func (r *Repo) removeLoose(loose []looseInfo) error {
	var err error
	dirs := make(map[byte]bool)
	for _, o := range loose {
		dirs[o.hash[0]] = true
		err = errors.Join(err, r.remove(loosePath(r.db.dir, o.hash)))
	}
	for b := range dirs {
		os.Remove(r.looseDir(b)) //nolint:errcheck // it may not be empty
	}
	return err
}

// removePacks removes packs, the index first, as C git does: without it, what
// a crash leaves is known as a remainder.
func (r *Repo) removePacks(packs []packInfo) error {
	// An index over several packs must not name one that is gone.
	multi, err := filepath.Glob(filepath.Join(escapeGlob(r.packDir()), "multi-pack-index*"))
	for _, path := range multi {
		err = errors.Join(err, r.removeAll(path))
	}
	for _, p := range packs {
		for _, ext := range []string{".idx", ".rev", ".bitmap", ".pack"} {
			err = errors.Join(err, r.remove(filepath.Join(r.packDir(), p.name+ext)))
		}
	}
	return err
}
