package repo

import (
	"container/heap"
	"context"
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
)

// Unreachable returns those of the given commits and tags that none of tips
// leads to. Tips that do not exist are skipped. It walks the youngest commits
// first and reads at most limit of them; the error is ErrLimit if that does not
// suffice.
func (o *Objects) Unreachable(ctx context.Context, tips, objects []Hash, limit int) ([]Hash, error) {
	w := newWalk(ctx, newMarks(o))
	left := make(map[Hash]bool, len(objects))
	for _, h := range objects {
		left[h] = true
	}
	err := w.findTips(tips, left)
	if err == nil && len(left) > 0 {
		err = w.findCommits(left, limit)
	}
	if err != nil {
		return nil, fmt.Errorf("find reachable commits: %w", err)
	}
	var rest []Hash
	for _, h := range objects {
		if left[h] {
			rest = append(rest, h)
		}
	}
	return rest, nil
}

// findTips strikes off what the tips are, and what tags among them lead to,
// and queues the commits.
func (w *walk) findTips(tips []Hash, left map[Hash]bool) error {
	for _, h := range tips {
		for range maxTags {
			delete(left, h)
			kind, err := w.m.o.Type(h)
			if errors.Is(err, ErrNotFound) {
				break
			}
			if err != nil {
				return err
			}
			if kind == plumbing.CommitObject {
				if err := w.visit(h); err != nil {
					return err
				}
			}
			if kind != plumbing.TagObject {
				break
			}
			if h, err = w.m.tagTarget(h); err != nil {
				return err
			}
		}
	}
	return nil
}

// visit queues a commit, once. What was seen is kept as a mark, as a history
// has many commits.
func (w *walk) visit(h Hash) error {
	if fresh, err := w.m.set(h, markPassed); !fresh || err != nil {
		return err
	}
	data, err := w.m.read(h, plumbing.CommitObject)
	if err != nil {
		return err
	}
	_, parents, date, err := commitLinks(data)
	if err != nil {
		return fmt.Errorf("%w: commit %s: %w", ErrCorrupt, h, err)
	}
	c := &walked{hash: h, date: date, parents: make([]*walked, len(parents))}
	for i, h := range parents {
		c.parents[i] = &walked{hash: h}
	}
	heap.Push(&w.queue, c)
	return nil
}

func (w *walk) findCommits(left map[Hash]bool, limit int) error {
	for w.queue.Len() > 0 {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		c := heap.Pop(&w.queue).(*walked)
		delete(left, c.hash)
		if len(left) == 0 {
			return nil
		}
		if limit--; limit < 0 {
			return fmt.Errorf("%w: too many commits", ErrLimit)
		}
		for _, p := range c.parents {
			if err := w.visit(p.hash); err != nil {
				return err
			}
		}
	}
	return nil
}
