package repo

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/go-git/go-git/v5/plumbing"
)

// A walk finds the commits that are reachable from wants and not from haves.
type walk struct {
	ctx     context.Context //nolint:containedctx // lives as long as one call of WritePack
	m       *marks
	filter  *Filter       // nil for none
	workers int           // that mark trees
	count   func()        // is told of objects that are found, if set
	feed    *treeFeed     // takes the trees of commits as they are found
	cut     map[Hash]bool // commits whose parents do not count: the reader is shallow
	since   int64         // commits older than this are not walked
	commits map[Hash]*walked
	queue   commitQueue
	fresh   int // commits in the queue that are wanted
	oldest  int64
	list    []*walked // wanted ones in the order found; some may turn out to be had
	haves   []*walked // those that the reader named
	trees   []Hash    // wanted by themselves
	tagged  []tagged  // wanted through tags
}

// A tagged object is a tree or a blob that a wanted tag leads to.
type tagged struct {
	h Hash
	t ObjectType
}

// A walked commit is one that the walk came across.
type walked struct {
	hash, tree Hash
	parents    []*walked
	date       int64
	had        bool
	asked      bool // wanted by itself
	loaded     bool
	queued     bool // has been in the queue
	waits      bool // is in the queue
}

// commitQueue hands out the youngest commit first.
type commitQueue []*walked

func (q commitQueue) Len() int           { return len(q) }
func (q commitQueue) Less(i, j int) bool { return q[i].date > q[j].date }
func (q commitQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *commitQueue) Push(x any)        { *q = append(*q, x.(*walked)) }
func (q *commitQueue) Pop() any {
	old := *q
	c := old[len(old)-1]
	*q = old[:len(old)-1]
	return c
}

func newWalk(ctx context.Context, m *marks) *walk {
	return &walk{ctx: ctx, m: m, commits: make(map[Hash]*walked), oldest: math.MaxInt64, since: math.MinInt64, workers: 1}
}

// shallow makes the walk end at commits, as the reader's history does.
func (w *walk) shallow(at []Hash) {
	w.cut = make(map[Hash]bool, len(at))
	for _, h := range at {
		w.cut[h] = true
	}
}

// have starts from an object that the reader has, if we have it, too.
func (w *walk) have(h Hash) error {
	err := w.root(h, true)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// root starts from an object, through tags.
func (w *walk) root(h Hash, had bool) error {
	mark := markWanted
	if had {
		mark = markHad
	}
	for depth := range maxTags {
		kind, err := w.m.o.Type(h)
		if err != nil {
			return err
		}
		if !had && depth > 0 && (kind == plumbing.TreeObject || kind == plumbing.BlobObject) {
			w.tagged = append(w.tagged, tagged{h, kind})
			return nil
		}
		switch kind { //nolint:exhaustive // tags follow, and nothing else is stored
		case plumbing.CommitObject:
			return w.rootCommit(w.commit(h), had)
		case plumbing.TreeObject:
			return w.rootTree(h, had)
		case plumbing.BlobObject:
			_, err := w.m.set(h, mark)
			return err
		}
		if _, err := w.m.set(h, mark); err != nil {
			return err
		}
		if h, err = w.m.tagTarget(h); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: more than %d tags in a row", ErrLimit, maxTags)
}

func (w *walk) rootCommit(c *walked, had bool) error {
	if had {
		w.haves = append(w.haves, c)
	} else {
		c.asked = true
	}
	return w.push(c, had)
}

// rootTree takes a tree that is wanted, or had, by itself. A wanted one is sent
// whatever else the reader has: partial clones ask for what they lack.
func (w *walk) rootTree(h Hash, had bool) error {
	if had {
		return w.markTree(h, markHad)
	}
	fresh, err := w.m.set(h, markWanted)
	if fresh {
		w.trees = append(w.trees, h)
	}
	return err
}

// tagTarget is what a tag points to.
func (m *marks) tagTarget(h Hash) (Hash, error) {
	data, err := m.read(h, plumbing.TagObject)
	if err != nil {
		return Hash{}, err
	}
	if rest, ok := bytes.CutPrefix(data, []byte("object ")); ok {
		if target, _, ok := hexLine(rest); ok {
			return target, nil
		}
	}
	return Hash{}, fmt.Errorf("%w: tag %s", ErrCorrupt, h)
}

func (w *walk) commit(h Hash) *walked {
	c, ok := w.commits[h]
	if !ok {
		c = &walked{hash: h}
		w.commits[h] = c
	}
	return c
}

func (w *walk) load(c *walked) error {
	if c.loaded {
		return nil
	}
	data, err := w.m.commit(c.hash)
	if err != nil {
		return err
	}
	tree, parents, date, err := commitLinks(data)
	if err != nil {
		return fmt.Errorf("%w: commit %s: %w", ErrCorrupt, c.hash, err)
	}
	c.tree, c.date, c.loaded = tree, date, true
	if w.cut[c.hash] {
		return nil
	}
	c.parents = make([]*walked, len(parents))
	for i, h := range parents {
		c.parents[i] = w.commit(h)
	}
	return nil
}

// commitLinks reads what a walk needs of a commit. Commits that are laid out
// as git does are read without looking at the rest.
func commitLinks(data []byte) (tree Hash, parents []Hash, date int64, err error) {
	rest, ok := bytes.CutPrefix(data, []byte("tree "))
	if ok {
		tree, rest, ok = hexLine(rest)
	}
	for ok && bytes.HasPrefix(rest, []byte("parent ")) {
		var h Hash
		if h, rest, ok = hexLine(rest[len("parent "):]); ok {
			parents = append(parents, h)
		}
	}
	author, rest, _ := bytes.Cut(rest, []byte{'\n'})
	line, _, _ := bytes.Cut(rest, []byte{'\n'})
	if ok && bytes.HasPrefix(author, []byte("author ")) && bytes.HasPrefix(line, []byte("committer ")) {
		seconds, _, _ := bytes.Cut(bytes.TrimSpace(line[bytes.LastIndexByte(line, '>')+1:]), []byte{' '})
		if date, err = strconv.ParseInt(string(seconds), 10, 64); err == nil {
			return tree, parents, date, nil
		}
	}
	c, err := parseCommit(data)
	if err != nil {
		return tree, nil, 0, err
	}
	return c.Tree, c.Parents, c.Committer.When.Unix(), nil
}

// push queues a commit, once.
func (w *walk) push(c *walked, had bool) error {
	if had && !c.had {
		w.spread(c)
	}
	if c.queued {
		return nil
	}
	if err := w.load(c); err != nil {
		return err
	}
	if !c.had && c.date < w.since {
		return nil
	}
	c.queued, c.waits = true, true
	if !c.had {
		w.fresh++
	}
	heap.Push(&w.queue, c)
	return nil
}

// spread says that the reader has a commit, and all that is known to be behind it.
func (w *walk) spread(c *walked) {
	todo := []*walked{c}
	for len(todo) > 0 {
		c := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if c.had {
			continue
		}
		c.had = true
		if c.waits {
			w.fresh--
		}
		todo = append(todo, c.parents...)
	}
}

// run walks. It may stop before it has found all that the reader has, if dates
// are wrong; then more is sent than had to be.
func (w *walk) run() error {
	err := w.steps()
	if w.feed != nil {
		err = cmp.Or(err, w.feed.finish())
	}
	return err
}

func (w *walk) steps() error {
	for w.queue.Len() > 0 {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if w.fresh == 0 && w.queue[0].date < w.oldest {
			return nil
		}
		c := heap.Pop(&w.queue).(*walked)
		c.waits = false
		if !c.had {
			w.fresh--
			w.found(c)
			w.oldest = min(w.oldest, c.date)
		}
		for _, p := range c.parents {
			if err := w.push(p, c.had); err != nil {
				return err
			}
		}
	}
	return nil
}

// found lists a wanted commit. Where none can turn out to be had, the trees of
// many are marked while the walk goes on.
func (w *walk) found(c *walked) {
	w.list = append(w.list, c)
	switch {
	case w.feed != nil:
		w.feed.add(c.tree)
	case len(w.list) == manyTrees && w.runsAhead():
		w.feed = newTreeMarker(w.wanted()).feed()
		for _, c := range w.list {
			w.feed.add(c.tree)
		}
	}
}

func (w *walk) runsAhead() bool {
	return w.count != nil && len(w.haves) == 0 && w.filter.walksPlainly()
}
