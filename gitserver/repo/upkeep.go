package repo

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// UpkeepOptions say when a repository needs upkeep.
type UpkeepOptions struct {
	MinPacks   int           // packs that can be joined; 10 if zero
	MinLoose   int           // loose objects, by a guess; 2000 if zero
	MinRefs    int           // loose references; 100 if zero
	SweepAfter time.Duration // see SweepOptions; 14 days if zero, never swept if negative
	Rate       int64         // bytes a second that are written; no bound if zero
}

func (o *UpkeepOptions) setDefaults() {
	o.MinPacks = cmp.Or(o.MinPacks, 10)
	o.MinLoose = cmp.Or(o.MinLoose, 2000)
	o.MinRefs = cmp.Or(o.MinRefs, 100)
	o.SweepAfter = cmp.Or(o.SweepAfter, DefaultSweepAfter)
}

// Upkept is what Upkeep did.
type Upkept struct {
	Repacked
	Refs  int // references that were packed
	Swept Swept
}

// Upkeep does what the repository needs of PackRefs, Repack and Sweep. Where it
// needs nothing, this costs a look at a few directories. With the defaults, a
// repository that is looked after at each push has about as many packs as the
// number of its objects can be halved, and ten more at most.
func (r *Repo) Upkeep(ctx context.Context, o UpkeepOptions) (Upkept, error) {
	o.setDefaults()
	var done Upkept
	var errs []error
	due, err := r.repackDue(o)
	if err == nil && due {
		done.Repacked, err = r.Repack(ctx, RepackOptions{MinPacks: o.MinPacks, MinLoose: o.MinLoose, Rate: o.Rate})
	}
	errs = append(errs, err)
	n, err := r.guessLooseRefs(o.MinRefs)
	if err == nil && n >= o.MinRefs {
		done.Refs, err = r.PackRefs(ctx)
	}
	errs = append(errs, err)
	if o.SweepAfter > 0 && ctx.Err() == nil {
		due, err = r.sweepDue(o.SweepAfter)
		if err == nil && due {
			done.Swept, err = r.Sweep(ctx, SweepOptions{OlderThan: o.SweepAfter, Rate: o.Rate})
		}
		errs = append(errs, err)
	}
	return done, errors.Join(errs...)
}

func (r *Repo) repackDue(o UpkeepOptions) (bool, error) {
	packs, err := r.listPacks()
	if err != nil || len(rollUp(packs)) >= o.MinPacks {
		return err == nil, err
	}
	loose, err := r.guessLoose()
	return loose >= o.MinLoose, err
}

// sweepEvery is how often a repository is swept.
const sweepEvery = 24 * time.Hour

// sweepDue says whether there may be something to sweep: something changed
// since, or shortly before, the last time, and something is old.
func (r *Repo) sweepDue(after time.Duration) (bool, error) {
	now := time.Now()
	swept := time.Time{}
	if st, err := os.Stat(r.path(sweptFile)); err == nil {
		swept = st.ModTime()
	}
	if now.Sub(swept) < min(sweepEvery, after) {
		return false, nil
	}
	changed, loose, err := r.lastChange()
	if err != nil || changed.Before(swept.Add(-after)) {
		return false, err
	}
	packs, err := r.listPacks()
	for _, p := range packs {
		loose = loose || !p.fixed && p.time.Before(now.Add(-after))
	}
	return loose, err
}

// lastChange is when references or objects last came or went, and whether
// there may be loose objects.
func (r *Repo) lastChange() (last time.Time, loose bool, err error) {
	note := func(path string) error {
		st, err := os.Stat(path)
		if isNotExist(err) {
			return nil
		}
		if err == nil && st.ModTime().After(last) {
			last = st.ModTime()
		}
		return err
	}
	err = errors.Join(note(r.path("HEAD")), note(r.path("packed-refs")))
	for _, dir := range []string{"refs", "objects"} {
		werr := filepath.WalkDir(r.path(dir), func(path string, d fs.DirEntry, err error) error {
			switch {
			case isNotExist(err):
				return nil
			case err != nil:
				return err
			case !d.IsDir():
				return nil
			case dir == "objects" && d.Name() != "objects" && d.Name() != "pack":
				loose = loose || len(d.Name()) == 2
				return cmp.Or(note(path), fs.SkipDir)
			}
			return note(path)
		})
		err = errors.Join(err, werr)
	}
	return last, loose, err
}
