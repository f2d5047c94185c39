package repo

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
)

// InfiniteDepth is the depth of a history that is not cut off.
const InfiniteDepth = math.MaxInt32

// A Deepening says how far the history of a shallow reader is to go: to a
// depth, or else to what the other fields leave.
type Deepening struct {
	Depth    int    // commits from the wants on, which are the first; none if zero
	Relative bool   // Depth goes from the reader's boundary, not from the wants
	Since    int64  // only commits of this time (in seconds) or younger; any if zero
	Not      []Hash // no commits that are reachable from these
}

// A Boundary is where the history of a shallow reader ends after a fetch.
type Boundary struct {
	Shallow   []Hash // commits that will have no parents there, which they have now or are not there
	Unshallow []Hash // commits that had no parents there, and will have them
	Parents   []Hash // the parents of Unshallow: to be sent, too
}

// Deepen finds out where the history of a reader that asks for wants, and
// whose history ends at shallow, is to end. All of them must exist. The pack to go with it is one of wants and Parents,
// without haves and Unshallow, and with the two kinds of shallow commits in
// [PackOptions].
func (r *Repo) Deepen(ctx context.Context, wants, shallow []Hash, d Deepening) (*Boundary, error) {
	w := newWalk(ctx, newMarks(&r.Objects))
	inside := make(map[Hash]bool)
	var edge []Hash
	var err error
	switch {
	case d.Depth == InfiniteDepth:
		for _, h := range shallow {
			inside[h] = true
		}
	case d.Depth > 0 && d.Relative:
		edge, err = w.byDepth(shallow, d.Depth+1, inside)
	case d.Depth > 0:
		edge, err = w.byDepth(wants, d.Depth, inside)
	default:
		edge, err = w.byRange(wants, d, inside)
	}
	if err != nil {
		return nil, fmt.Errorf("find where the history is to end: %w", err)
	}
	return w.boundary(shallow, edge, inside)
}

// boundary compares the new end of the history with the reader's.
func (w *walk) boundary(shallow, edge []Hash, inside map[Hash]bool) (*Boundary, error) {
	b := &Boundary{}
	known := make(map[Hash]bool, len(shallow))
	for _, h := range shallow {
		if known[h] {
			continue
		}
		known[h] = true
		if !inside[h] {
			continue
		}
		c := w.commit(h)
		if err := w.load(c); err != nil {
			return nil, err
		}
		b.Unshallow = append(b.Unshallow, h)
		for _, p := range c.parents {
			b.Parents = append(b.Parents, p.hash)
		}
	}
	for _, h := range edge {
		if !known[h] {
			b.Shallow = append(b.Shallow, h)
		}
	}
	return b, nil
}

// byDepth collects the commits that are less than depth away from roots, and
// returns those that are just that deep.
func (w *walk) byDepth(roots []Hash, depth int, inside map[Hash]bool) (edge []Hash, err error) {
	level, err := w.commitsOf(roots)
	if err != nil {
		return nil, err
	}
	for _, c := range level {
		c.queued = true
	}
	for ; depth > 1 && len(level) > 0; depth-- {
		var next []*walked
		for _, c := range level {
			inside[c.hash] = true
			if err := errors.Join(w.ctx.Err(), w.load(c)); err != nil {
				return nil, err
			}
			for _, p := range c.parents {
				if !p.queued {
					p.queued = true
					next = append(next, p)
				}
			}
		}
		level = next
	}
	for _, c := range level {
		edge = append(edge, c.hash)
	}
	return edge, nil
}

// byRange collects the commits that a time and exclusions leave, and returns
// those that have a parent outside.
func (w *walk) byRange(wants []Hash, d Deepening, inside map[Hash]bool) (edge []Hash, err error) {
	if d.Since != 0 {
		w.since = d.Since
	}
	for _, h := range d.Not {
		if err := w.root(h, true); err != nil {
			return nil, err
		}
	}
	roots, err := w.commitsOf(wants)
	if err != nil {
		return nil, err
	}
	for _, c := range roots {
		if err := w.rootCommit(c, false); err != nil {
			return nil, err
		}
	}
	if err := w.run(); err != nil {
		return nil, err
	}
	w.list = slices.DeleteFunc(w.list, func(c *walked) bool { return c.had })
	if len(w.list) == 0 {
		return nil, ErrNoCommits
	}
	for _, c := range w.list {
		inside[c.hash] = true
	}
	for _, c := range w.list {
		if slices.ContainsFunc(c.parents, func(p *walked) bool { return !inside[p.hash] }) {
			edge = append(edge, c.hash)
		}
	}
	for _, h := range edge {
		delete(inside, h)
	}
	return edge, nil
}

// commitsOf is the commits among objects, through tags, each once.
func (w *walk) commitsOf(objects []Hash) ([]*walked, error) {
	seen := make(map[Hash]bool, len(objects))
	var list []*walked
	for _, h := range objects {
		h, kind, err := w.m.o.Peel(h)
		if err != nil {
			return nil, err
		}
		if kind == plumbing.CommitObject && !seen[h] {
			seen[h] = true
			list = append(list, w.commit(h))
		}
	}
	return list, nil
}
