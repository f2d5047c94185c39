package repo

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/go-git/go-git/v5/plumbing"
	"golang.org/x/sync/errgroup"
)

// A treeMarker marks all that lies below many trees. It takes the trees in
// batches, each of one pack, and puts those of a batch together from the bases
// of their deltas down, so that each is made once. The order of history would
// need a cache of most trees instead.
type treeMarker struct {
	m       *marks
	packs   []*markedPack // of marks, those that were there from the beginning
	mark    uint8
	blobs   bool // blobs matter
	workers []*treeWorker
	pending [][]uint32 // trees that are marked, but not read, by pack and position
	loose   []Hash     // likewise

	mu    sync.Mutex
	check func() error
}

const (
	// manyTrees is from how many trees on a treeMarker is worth its tables.
	manyTrees = 256
	// maxBatch bounds the table of a batch.
	maxBatch = 128 << 10
)

// newTreeMarker makes a marker that calls check for every tree, from one
// goroutine at a time.
func newTreeMarker(p *picker) *treeMarker {
	t := &treeMarker{m: p.m, packs: p.m.packs[:p.m.first], mark: p.mark, blobs: p.blobs, check: p.check}
	t.workers = make([]*treeWorker, p.workers)
	for i := range t.workers {
		t.workers[i] = newTreeWorker(t)
	}
	return t
}

// root adds a tree that has to be marked.
func (t *treeMarker) root(h Hash) error {
	fresh, err := t.m.set(h, t.mark)
	if !fresh || err != nil {
		return err
	}
	return t.add(h)
}

// add adds a tree that is marked already.
func (t *treeMarker) add(h Hash) error {
	s, ok, err := t.m.find(h)
	switch {
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("object %s: %w", h, ErrNotFound)
	case s.pack < 0:
		t.loose = append(t.loose, h)
	default:
		t.put(s.pack, uint32(s.pos))
	}
	return nil
}

func (t *treeMarker) put(pack int, pos uint32) {
	for len(t.pending) <= pack {
		t.pending = append(t.pending, nil)
	}
	t.pending[pack] = append(t.pending[pack], pos)
}

// run reads trees until none is left that has not been.
func (t *treeMarker) run() error {
	for {
		if err := t.settle(); err != nil {
			return err
		}
		switch n := len(t.loose); {
		case n > 0:
			h := t.loose[n-1]
			t.loose = t.loose[:n-1]
			if err := t.whole(h); err != nil {
				return err
			}
		case t.fullest() >= 0:
			if err := t.next(); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// next reads the trees that are waiting in one pack, if there are any.
func (t *treeMarker) next() error {
	i := t.fullest()
	if i < 0 {
		return nil
	}
	list := t.pending[i]
	n := max(len(list)-maxBatch, 0)
	t.pending[i] = list[:n]
	p := t.packs
	if i >= len(p) {
		p = t.m.packs
	}
	err := t.batch(p[i].p, list[n:])
	t.collect()
	return err
}

// fullest is the pack that most trees are waiting in, -1 if there is none.
func (t *treeMarker) fullest() int {
	best, most := -1, 0
	for i, list := range t.pending {
		if len(list) > most {
			best, most = i, len(list)
		}
	}
	return best
}

// collect takes over the trees that workers have found.
func (t *treeMarker) collect() {
	for _, w := range t.workers {
		for _, s := range w.found {
			t.put(int(s.pack), s.pos)
		}
		w.found = w.found[:0]
	}
}

// settle marks what workers have found outside of the packs.
func (t *treeMarker) settle() error {
	for _, w := range t.workers {
		for h, kind := range w.strays {
			if kind != plumbing.TreeObject {
				if _, err := t.m.set(h, t.mark); err != nil {
					return err
				}
			} else if err := t.root(h); err != nil {
				return err
			}
		}
		clear(w.strays)
	}
	return nil
}

// whole reads a tree that is loose, or was.
func (t *treeMarker) whole(h Hash) error {
	data, err := t.m.o.typed(h, plumbing.TreeObject)
	if err != nil {
		return err
	}
	if err := t.count(1); err != nil {
		return err
	}
	if err := t.workers[0].scan(data); err != nil {
		return fmt.Errorf("tree %s: %w", h, err)
	}
	t.collect()
	return nil
}

func (t *treeMarker) count(n int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for range n {
		if err := t.check(); err != nil {
			return err
		}
	}
	return nil
}

// batch reads trees of one pack.
func (t *treeMarker) batch(p *packFile, trees []uint32) error {
	f, err := newForest(p, trees)
	if err != nil {
		return err
	}
	var next, made atomic.Int64
	var group errgroup.Group
	for _, w := range t.workers[:min(len(t.workers), 1+len(trees)/manyTrees)] {
		group.Go(func() error {
			err := w.work(f, &next)
			if err != nil {
				next.Store(int64(len(f.roots))) // stops the others
			}
			made.Add(int64(w.made))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if int(made.Load()) < len(f.nodes) {
		return fmt.Errorf("%w: %s: chain of deltas does not end", ErrCorrupt, p.f.Name())
	}
	return nil
}
