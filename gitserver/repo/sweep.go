package repo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// SweepOptions say what Sweep removes.
type SweepOptions struct {
	OlderThan time.Duration // objects that came later stay; 14 days if zero, none stay if negative
	Rate      int64         // bytes a second that are written; no bound if zero
}

// Swept is what Sweep did.
type Swept struct {
	Objects int   // objects that no reference leads to, removed
	Packs   int   // packs that were replaced or removed
	Bytes   int64 // bytes of packs written
}

// DefaultSweepAfter is how long objects stay that no reference leads to, as C
// git's gc.pruneExpire.
const DefaultSweepAfter = 14 * 24 * time.Hour

// Sweep removes objects that no reference leads to. An object that came
// lately stays, and so does one in a pack that somebody keeps, together with
// all that it leads to: no object that stays ever lacks what it links to. This
// is what lets a push be checked without looking beyond its own objects. An
// object came when the pack that holds it did; of packs that Repack has joined,
// when the last of them did.
//
// Most of the work is done beside pushes. At its end, Sweep waits for a moment
// without one, looks again whether all that is about to go can go, and removes
// it. The error is ErrBusy if there is no such moment, if somebody has come to
// need an object that was about to go, or if others are at work: nothing is
// removed then. Pushes through C git are protected only by time, as they are
// from `git gc`. Repositories with work trees or of shallow clones are not
// swept.
func (r *Repo) Sweep(ctx context.Context, o SweepOptions) (Swept, error) {
	lock, err := r.lockUpkeep(ctx)
	if err != nil {
		return Swept{}, fmt.Errorf("sweep %s: %w", r.dir, err)
	}
	s := &sweep{ctx: ctx, r: r, pace: newPacer(o.Rate), started: time.Now()}
	s.cutoff = s.started.Add(-max(0, cmp.Or(o.OlderThan, DefaultSweepAfter)))
	err = errors.Join(s.run(ctx), lock.Close())
	if err != nil {
		return s.done, fmt.Errorf("sweep %s: %w", r.dir, err)
	}
	return s.done, nil
}

// A sweep is one call of Sweep.
type sweep struct {
	ctx     context.Context //nolint:containedctx // lives as long as one call of Sweep
	r       *Repo
	pace    *pacer
	started time.Time
	cutoff  time.Time
	marks   *marks // markWanted: stays
	done    Swept

	again bool            // this is not the first look
	seen  map[string]bool // packs that were looked at
	looks map[Hash]bool   // loose objects that were looked at, and whether they are old
	old   []packInfo      // packs that lose objects
	drops []spot          // objects in them that go
	loose []looseInfo     // loose objects that go
}

func (s *sweep) run(ctx context.Context) error {
	if err := s.r.endSweep(ctx); err != nil {
		return err
	}
	if err := s.r.sweepable(); err != nil {
		return err
	}
	s.marks = newMarks(&s.r.Objects)
	s.seen, s.looks = make(map[string]bool), make(map[Hash]bool)
	if err := s.spare(); err != nil {
		return err
	}
	if err := s.chooseDrops(); err != nil {
		return err
	}
	if len(s.old)+len(s.loose) == 0 {
		return s.r.stampSweep(s.started)
	}
	d, newest, err := s.draft()
	if err != nil {
		return err
	}
	if d != nil {
		defer d.discard()
	}
	// What came meanwhile is looked at before others have to wait, too.
	if err := s.spare(); err != nil {
		return err
	}
	return s.finish(ctx, d, newest)
}

// spare marks what stays: what references lead to, what came lately, what
// somebody keeps, and all that these link to. The first call also finds the
// packs and loose objects that may lose something; later ones look only at what
// is new.
func (s *sweep) spare() error {
	roots, err := s.r.roots()
	if err != nil {
		return err
	}
	for _, h := range roots {
		if err := s.keep(h); err != nil {
			return fmt.Errorf("follow references: %w", err)
		}
	}
	if err := errors.Join(s.sparePacks(), s.spareLoose()); err != nil {
		return err
	}
	s.again = true
	return nil
}

func (s *sweep) sparePacks() error {
	packs, err := s.r.listPacks()
	if err != nil {
		return err
	}
	s.r.db.refresh() //nolint:errcheck // a pack that cannot be opened stops the sweep below
	s.marks.take()
	for _, p := range packs {
		switch {
		case s.seen[p.name]:
		case !s.again && !p.fixed && p.time.Before(s.cutoff):
			s.old = append(s.old, p)
		default:
			if err := s.keepPack(p.name); err != nil {
				return err
			}
		}
		s.seen[p.name] = true
	}
	return nil
}

func (s *sweep) spareLoose() error {
	all, err := s.r.allLoose(0)
	if err != nil {
		return err
	}
	for _, o := range all {
		wasOld, known := s.looks[o.hash]
		isOld := (wasOld || !s.again) && o.time.Before(s.cutoff)
		s.looks[o.hash] = isOld
		switch {
		case isOld && !s.again:
			s.loose = append(s.loose, o)
		case !isOld && (wasOld || !known): // new, or written again
			if err := s.keepLoose(o.hash); err != nil {
				return err
			}
		}
	}
	return nil
}

// chooseDrops finds what is not marked, and forgets packs and loose objects
// that lose nothing.
func (s *sweep) chooseDrops() error {
	old, loose := s.old, s.loose
	s.old, s.loose = nil, nil
	for _, info := range old {
		p, err := s.opened(info.name)
		if err != nil {
			return err
		}
		if p == nil {
			continue
		}
		some := false
		for pos := range p.p.idx.n {
			if p.marked(pos) {
				continue
			}
			at, ok := s.marks.inPacks(p.p.idx.hash(pos))
			if !ok || s.marks.packs[at.pack].marked(at.pos) {
				continue // it stays elsewhere
			}
			some = true
			s.drops = append(s.drops, at)
		}
		if some {
			s.old = append(s.old, info)
		}
	}
	for _, o := range loose {
		stays, err := s.marks.has(o.hash, markWanted)
		if err != nil {
			return err
		}
		if !stays {
			s.loose = append(s.loose, o)
		}
	}
	return s.ctx.Err()
}

func (p *markedPack) marked(pos int) bool {
	return p.bits[markWanted][pos/64]&(1<<(pos%64)) != 0
}

// draft writes the pack of what stays of those that lose something; nil if
// nothing does.
func (s *sweep) draft() (d *draft, newest time.Time, err error) {
	if len(s.old) == 0 {
		return nil, newest, nil
	}
	j := &join{ctx: s.ctx, r: s.r, pace: s.pace, stays: func(h Hash) (bool, error) { return s.marks.has(h, markWanted) }}
	defer func() { err = errors.Join(err, j.close()) }()
	if newest, err = j.open(s.old); err != nil {
		return nil, newest, err
	}
	d, err = s.r.draft(j)
	if err != nil {
		return nil, newest, err
	}
	s.done.Bytes = j.out.at
	if len(j.members) == 0 {
		d.discard()
		d = nil
	}
	if err := s.r.stillThere(j.packs); err != nil {
		if d != nil {
			d.discard()
		}
		return nil, newest, err
	}
	return d, newest, nil
}

// sweepWait is how long Sweep waits for a moment without a push.
const sweepWait = 30 * time.Second

// finish removes what goes, while nobody pushes.
func (s *sweep) finish(ctx context.Context, d *draft, newest time.Time) (err error) {
	wait, cancel := context.WithTimeout(ctx, sweepWait)
	defer cancel()
	lock, err := s.r.flock(wait, pushesLock, unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := s.spare(); err != nil {
		return err
	}
	if err := errors.Join(s.checkDrops(), s.checkAccess()); err != nil {
		return err
	}
	if d != nil {
		if err := s.r.install(d, newest); err != nil {
			return err
		}
	}
	if err := s.r.writeJournal(s.old, s.loose); err != nil {
		return err
	}
	// From here on it is to be finished, by whoever comes.
	if err := s.r.followJournal(); err != nil {
		return err
	}
	gone := make(map[Hash]bool, len(s.drops)+len(s.loose))
	for _, at := range s.drops {
		gone[s.marks.packs[at.pack].p.idx.hash(at.pos)] = true
	}
	for _, o := range s.loose {
		gone[o.hash] = true
	}
	s.done.Objects, s.done.Packs = len(gone), len(s.old)
	s.r.db.refresh() //nolint:errcheck // only to let go of what is gone
	return s.r.stampSweep(s.started)
}

// checkDrops makes sure that nobody needs what goes, and that nobody else has
// changed the packs.
func (s *sweep) checkDrops() error {
	for _, at := range s.drops {
		if s.marks.packs[at.pack].marked(at.pos) {
			return fmt.Errorf("%w: an object that was about to go is needed again", ErrBusy)
		}
	}
	for _, o := range s.loose {
		stays, err := s.marks.has(o.hash, markWanted)
		if err != nil {
			return err
		}
		if stays {
			return fmt.Errorf("%w: an object that was about to go is needed again", ErrBusy)
		}
	}
	now, err := s.r.listPacks()
	if err != nil {
		return err
	}
	for _, p := range s.old {
		// C git makes a pack young again where it writes an object that the pack has.
		same := func(q packInfo) bool { return q.name == p.name && !q.fixed && q.time.Before(s.cutoff) }
		if !slices.ContainsFunc(now, same) {
			return fmt.Errorf("%w: %s was removed, is kept or is used again", ErrBusy, p.name)
		}
	}
	return s.r.gcRuns()
}

// checkAccess makes sure that files can be removed: git may have been run as
// another user, and a sweep that has begun must end.
func (s *sweep) checkAccess() error {
	dirs := map[string]bool{s.r.packDir(): true}
	for _, o := range s.loose {
		dirs[s.r.looseDir(o.hash[0])] = true
	}
	for dir := range dirs {
		if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
			return &os.PathError{Op: "write to", Path: dir, Err: err}
		}
	}
	return nil
}

// sweepable refuses repositories with references that are not looked at.
func (r *Repo) sweepable() error {
	for _, name := range []string{"worktrees", "index", "shallow", "objects/info/alternates"} {
		if _, err := os.Lstat(r.path(name)); err == nil {
			return fmt.Errorf("%w: it has %s; use git gc", ErrFormat, name)
		}
	}
	return nil
}

// sweptFile says by its time when the repository was last swept.
const sweptFile = ownDir + "/swept"

func (r *Repo) stampSweep(t time.Time) error {
	f, err := os.OpenFile(r.path(sweptFile), os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Chtimes(r.path(sweptFile), time.Time{}, t))
}
