package repo

import (
	"github.com/go-git/go-git/v5/plumbing"
)

// mark marks all objects of the wanted commits that the filter lets through,
// and those that the reader has at the edges.
func (w *walk) mark() error {
	if err := w.markEdges(); err != nil {
		return err
	}
	if err := w.markTagged(); err != nil {
		return err
	}
	p := w.wanted()
	if err := p.commits(); err != nil || !w.filter.walksTrees() {
		return err
	}
	if w.filter != nil && w.filter.depth != noLimit {
		return p.levels()
	}
	if w.feed != nil || len(w.list) >= manyTrees && w.filter.walksPlainly() {
		return p.bulk()
	}
	for _, c := range w.list {
		if c.had {
			continue
		}
		if err := p.tree(c.tree); err != nil {
			return err
		}
	}
	for _, h := range w.trees {
		if err := p.below(h); err != nil {
			return err
		}
	}
	return nil
}

// markEdges marks what the reader has: the trees of the parents of what is
// sent. Where its history is cut off, what it has is no parent of what it gets,
// but very much like it (as pack-objects' --shallow).
func (w *walk) markEdges() error {
	if !w.filter.walksTrees() {
		return nil
	}
	for _, c := range w.list {
		if c.had {
			continue
		}
		for _, p := range c.parents {
			if p.had {
				if err := w.markHad(p); err != nil {
					return err
				}
			}
		}
	}
	if len(w.cut) == 0 {
		return nil
	}
	for _, c := range w.haves {
		if err := w.markHad(c); err != nil {
			return err
		}
	}
	return nil
}

// markTagged marks what tags lead to, unless the reader has it.
func (w *walk) markTagged() error {
	for _, o := range w.tagged {
		var err error
		if o.t == plumbing.TreeObject {
			err = w.rootTree(o.h, false)
		} else {
			_, err = w.m.set(o.h, markWanted)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) markHad(c *walked) error {
	if err := w.load(c); err != nil {
		return err
	}
	if _, err := w.m.set(c.hash, markHad); err != nil {
		return err
	}
	return w.markTree(c.tree, markHad)
}

// markTree marks a tree and all below it. Blobs are left out if none are sent.
func (w *walk) markTree(root Hash, mark uint8) error {
	p := newPicker(w, mark)
	p.sized = false
	return p.tree(root)
}

// A picker marks what lies below trees.
type picker struct {
	*walk
	mark  uint8
	check func() error
	blobs bool // blobs matter
	sized bool // so do their sizes
	todo  []Hash
	each  func(Hash, ObjectType) error
}

func newPicker(w *walk, mark uint8) *picker {
	p := &picker{walk: w, mark: mark, check: w.ctx.Err, blobs: w.filter.sends(plumbing.BlobObject), sized: w.filter != nil}
	p.each = p.entry
	return p
}

// wanted is a picker of what is to be sent.
func (w *walk) wanted() *picker {
	p := newPicker(w, markWanted)
	p.check = func() error {
		w.count()
		return w.ctx.Err()
	}
	return p
}

// commits marks the commits.
func (p *picker) commits() error {
	all := p.filter.sends(plumbing.CommitObject)
	for _, c := range p.list {
		if c.had || !all && !c.asked {
			continue
		}
		if _, err := p.m.set(c.hash, markWanted); err != nil {
			return err
		}
		if err := p.check(); err != nil {
			return err
		}
	}
	return nil
}

// tree marks a tree and all below it.
func (p *picker) tree(root Hash) error {
	if fresh, err := p.set(root, plumbing.TreeObject); !fresh || err != nil {
		return err
	}
	return p.below(root)
}

// below marks all that lies below a tree that is marked itself.
func (p *picker) below(root Hash) error {
	p.todo = append(p.todo[:0], root)
	for len(p.todo) > 0 {
		h := p.todo[len(p.todo)-1]
		p.todo = p.todo[:len(p.todo)-1]
		if err := p.expand(h); err != nil {
			return err
		}
	}
	return nil
}

// bulk marks what lies below the wanted commits and trees, by tree of deltas
// instead of by commit.
func (p *picker) bulk() error {
	t := p.marker()
	for _, c := range p.list {
		if c.had || p.feed != nil {
			continue
		}
		if err := t.root(c.tree); err != nil {
			return err
		}
	}
	for _, h := range p.trees {
		if err := t.add(h); err != nil {
			return err
		}
	}
	return t.run()
}

func (p *picker) marker() *treeMarker {
	if p.feed != nil {
		return p.feed.t
	}
	return newTreeMarker(p)
}

// expand marks the entries of a tree, and adds the trees among them to todo.
func (p *picker) expand(h Hash) error {
	if err := p.check(); err != nil {
		return err
	}
	return p.m.entries(h, p.blobs, p.each)
}

func (p *picker) entry(h Hash, t ObjectType) error {
	fresh, err := p.set(h, t)
	if fresh && t == plumbing.TreeObject {
		p.todo = append(p.todo, h)
	}
	return err
}

// set marks an object, unless the filter keeps it back, and says whether it
// was not marked at all before.
func (p *picker) set(h Hash, t ObjectType) (bool, error) {
	if !p.sized {
		return p.m.set(h, p.mark)
	}
	if !p.filter.sends(t) {
		return p.m.set(h, markPassed)
	}
	if t != plumbing.BlobObject || p.filter.blobs == noLimit {
		return p.m.set(h, p.mark)
	}
	fresh, err := p.m.set(h, markPassed)
	if !fresh || err != nil {
		return fresh, err
	}
	size, err := p.m.size(h)
	if err != nil || size >= p.filter.blobs {
		return true, err
	}
	return true, p.m.release(h)
}

// levels marks trees from the top, all of one depth before those below, so
// that each is met first where it is least deep. A tree that was asked for by
// itself is no level: its entries are the first.
func (p *picker) levels() error {
	var level []Hash
	p.todo = nil
	for _, h := range p.trees {
		if err := p.expand(h); err != nil {
			return err
		}
	}
	for _, c := range p.list {
		if c.had {
			continue
		}
		fresh, err := p.set(c.tree, plumbing.TreeObject)
		if err != nil {
			return err
		}
		if fresh {
			p.todo = append(p.todo, c.tree)
		}
	}
	for depth := int64(1); depth < p.filter.depth && len(p.todo) > 0; depth++ {
		level, p.todo = p.todo, level[:0]
		for _, h := range level {
			if err := p.expand(h); err != nil {
				return err
			}
		}
	}
	return nil
}
