package repo

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// An odb finds objects of a repository: packs first, then loose ones, then
// packs that appeared meanwhile.
type odb struct {
	dir   string // .../objects
	limit int64  // of objects read whole; negative for none
	cache *cache

	mu      sync.RWMutex
	packs   []*packFile
	gone    []*packFile // removed by somebody else, perhaps still being read
	scanned time.Time   // when the directory was read last
	changed time.Time   // its modification time then
	gen     int         // how often packs have come
	closed  bool
}

// A place is where an object lies: in a pack, or loose if there is none.
type place struct {
	pack *packFile
	pos  int
	off  int64
}

func (p place) loose() bool { return p.pack == nil }

// find returns the place of h and whether it is there.
func (d *odb) find(h Hash) (place, bool, error) {
	pl, seen, err := d.inPacks(h)
	if pl.pack != nil || err != nil {
		return pl, err == nil, err
	}
	if _, err := os.Lstat(loosePath(d.dir, h)); err == nil {
		return place{}, true, nil
	}
	gen, err := d.refresh()
	if gen != seen { // others may have found the new packs just before us
		if pl, _, ierr := d.inPacks(h); pl.pack != nil || ierr != nil {
			return pl, ierr == nil, ierr
		}
	}
	return place{}, false, err
}

// inPacks returns the place of h in the packs of a generation, if it has one.
func (d *odb) inPacks(h Hash) (pl place, gen int, err error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, p := range d.packs {
		if pos, ok := p.idx.find(h); ok {
			off, err := p.idx.offset(pos)
			return place{p, pos, off}, d.gen, err
		}
	}
	return place{}, d.gen, nil
}

// refresh reads the directory of packs again if it may have changed, and
// returns their generation. The error is about packs that cannot be opened.
func (d *odb) refresh() (gen int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return d.gen, os.ErrClosed
	}
	dir := filepath.Join(d.dir, "pack")
	now := time.Now()
	st, err := os.Stat(dir)
	if err != nil {
		if isNotExist(err) {
			return d.gen, nil
		}
		return d.gen, err
	}
	// A change within the clock's tick of the last look leaves the time as it was.
	const tick = 50 * time.Millisecond
	if st.ModTime().Equal(d.changed) && d.scanned.Sub(d.changed) > tick {
		return d.gen, nil
	}
	const tries = 10
	for range tries {
		d.scanned, d.changed = now, st.ModTime()
		names, err := readNames(dir)
		if err != nil {
			return d.gen, err
		}
		again, err := d.take(dir, names)
		if err != nil {
			return d.gen, err
		}
		// While a name was read, others may have come and gone.
		if st, err = os.Stat(dir); err != nil || !again && st.ModTime().Equal(d.changed) {
			return d.gen, err
		}
	}
	d.changed = time.Time{}
	return d.gen, nil
}

// take opens the packs among names that are not open, and retires those that
// are gone. Damaged packs are an error only if no other one is new, as what is
// asked for may well lie elsewhere. If a pack vanished meanwhile, the one that
// took its place may not be among the names: they are to be read again.
func (d *odb) take(dir string, names []string) (again bool, err error) {
	have := make(map[string]bool, len(names))
	for _, n := range names {
		have[n] = true
	}
	open := make(map[string]bool, len(d.packs))
	var keep []*packFile
	for _, p := range d.packs {
		if !have[p.name] {
			d.gone = append(d.gone, p)
			continue
		}
		open[p.name] = true
		keep = append(keep, p)
	}
	fresh := false
	var damaged, failed error
	for _, n := range names {
		if open[n] || !strings.HasPrefix(n, "pack-") || !strings.HasSuffix(n, ".idx") {
			continue
		}
		p, err := openPack(filepath.Join(dir, n))
		switch {
		case isNotExist(err):
			// An index without its pack is a remainder, and nothing new.
			_, serr := os.Lstat(filepath.Join(dir, n))
			again = again || isNotExist(serr)
		case errors.Is(err, ErrCorrupt):
			damaged = errors.Join(damaged, err)
		case err != nil:
			failed = errors.Join(failed, err)
		default:
			keep = append(keep, p)
			fresh = true
		}
	}
	// Big packs first: they hold most of what is asked for.
	slices.SortStableFunc(keep, func(a, b *packFile) int { return b.idx.n - a.idx.n })
	d.packs = keep
	if fresh {
		d.gen++
		damaged = nil
	}
	if failed != nil { // too many open files, say: look again
		d.changed = time.Time{}
	}
	return again, errors.Join(failed, damaged)
}

// add makes a pack known that has just been moved into the repository, and
// whose files the odb closes from now on.
func (d *odb) add(p *packFile) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, q := range d.packs {
		if q.name == p.name {
			d.gone = append(d.gone, p)
			return
		}
	}
	d.packs = append(slices.Clip(d.packs), p)
	d.gen++
}

func (d *odb) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	d.cache.claim.Release()
	var err error
	for _, p := range append(d.packs, d.gone...) {
		err = errors.Join(err, p.close())
	}
	d.packs, d.gone = nil, nil
	return err
}

// readNames lists a directory.
func readNames(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	return f.Readdirnames(-1)
}
