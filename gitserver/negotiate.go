package gitserver

import (
	"container/heap"
	"context"
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/repo"
)

// maxReadyWalk bounds the commits that are read to find out whether the haves
// suffice. A client that is not told so sends more of them, which costs a round.
const maxReadyWalk = 20000

// A negotiation finds out what the client wants, and what it has already.
type negotiation struct {
	repo   *repo.Repo
	wants  []plumbing.Hash
	wanted map[plumbing.Hash]bool
	haves  []plumbing.Hash // common ones, in the order in which they came
	common map[plumbing.Hash]bool
	last   plumbing.Hash // the last common one

	hidden  []string        // rules of what the client must not see
	visible *refs           // what it sees, once that was needed
	named   []plumbing.Hash // wanted commits and tags, which have to be reachable
	refs    []repo.Ref      // wanted by name
	byName  map[string]bool // the names

	depth  depthRequest
	filter *repo.Filter

	oldest int64 // commit time of the oldest common commit
	ready  bool
	asked  int // number of common objects when ready was last looked for
}

func newNegotiation(r *repo.Repo, hidden []string) *negotiation {
	return &negotiation{
		repo: r, hidden: hidden,
		wanted: make(map[plumbing.Hash]bool), common: make(map[plumbing.Hash]bool), byName: make(map[string]bool),
	}
}

// have notes an object that the client has, and reports whether we have it too.
func (n *negotiation) have(h plumbing.Hash) (bool, error) {
	if n.common[h] {
		n.last = h
		return true, nil
	}
	ok, err := n.repo.Has(h)
	if err != nil {
		return false, fmt.Errorf("look up %s: %w", h, err)
	}
	if !ok {
		return false, nil
	}
	n.common[h] = true
	n.haves = append(n.haves, h)
	n.last = h
	c, err := n.repo.Commit(h)
	switch {
	case err == nil:
		if when := c.Committer.When.Unix(); n.oldest == 0 || when < n.oldest {
			n.oldest = when
		}
	case !errors.Is(err, repo.ErrType):
		return false, fmt.Errorf("read %s: %w", h, err)
	}
	return true, nil
}

// enough reports whether every want leads to a common commit, so that more
// haves would not make the pack much smaller.
func (n *negotiation) enough(ctx context.Context) (bool, error) {
	if n.ready || len(n.haves) == 0 || n.asked == len(n.haves) {
		return n.ready, nil
	}
	n.asked = len(n.haves)
	budget := maxReadyWalk
	wants, _, shallow := n.pack()
	cut := make(map[plumbing.Hash]bool, len(shallow))
	for _, h := range shallow {
		cut[h] = true
	}
	for _, w := range wants {
		ok, err := n.leads(ctx, w, cut, &budget)
		if err != nil || !ok {
			return false, err
		}
	}
	n.ready = true
	return true, nil
}

// leads walks from a want, newest commits first, until it meets a common one.
// It goes no further than to the commits where the client's history is cut.
func (n *negotiation) leads(ctx context.Context, from plumbing.Hash, cut map[plumbing.Hash]bool, budget *int) (bool, error) {
	from, kind, err := n.repo.Peel(from)
	if err != nil {
		return false, fmt.Errorf("peel %s: %w", from, err)
	}
	if kind != plumbing.CommitObject {
		return true, nil // no commit leads to it more than another
	}
	seen := map[plumbing.Hash]bool{from: true}
	todo := &byTime{}
	if done, err := n.visit(from, todo); done || err != nil {
		return done, err
	}
	for todo.Len() > 0 {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		c, _ := heap.Pop(todo).(*repo.Commit)
		for _, p := range c.Parents {
			if seen[p] || cut[c.Hash] {
				continue
			}
			seen[p] = true
			if *budget--; *budget < 0 {
				return false, nil
			}
			if done, err := n.visit(p, todo); done || err != nil {
				return done, err
			}
		}
	}
	return false, nil
}

// visit reports whether h is common, else queues it unless it is too old to
// lead anywhere.
func (n *negotiation) visit(h plumbing.Hash, todo *byTime) (bool, error) {
	if n.common[h] {
		return true, nil
	}
	c, err := n.repo.Commit(h)
	if err != nil {
		return false, fmt.Errorf("read %s: %w", h, err)
	}
	if c.Committer.When.Unix() >= n.oldest {
		heap.Push(todo, c)
	}
	return false, nil
}

// byTime is a heap of commits, the newest on top.
type byTime []*repo.Commit

func (b byTime) Len() int           { return len(b) }
func (b byTime) Less(i, j int) bool { return b[i].Committer.When.After(b[j].Committer.When) }
func (b byTime) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }

// Push implements [heap.Interface].
func (b *byTime) Push(x any) {
	if c, ok := x.(*repo.Commit); ok {
		*b = append(*b, c)
	}
}

// Pop implements [heap.Interface].
func (b *byTime) Pop() any {
	last := len(*b) - 1
	c := (*b)[last]
	(*b)[last] = nil
	*b = (*b)[:last]
	return c
}
