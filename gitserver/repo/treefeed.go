package repo

import "github.com/go-git/go-git/v5/plumbing"

// A treeFeed hands trees to a treeMarker while the walk that finds them goes on.
type treeFeed struct {
	t     *treeMarker
	lists chan []Hash
	list  []Hash
	done  chan error
}

// feedSize is how many trees are handed over at once. Fewer would tear chains
// of deltas apart.
const feedSize = 8 << 10

// feed starts to read trees. Until finish, nobody else may use the marker, nor
// mark anything.
func (t *treeMarker) feed() *treeFeed {
	f := &treeFeed{t: t, lists: make(chan []Hash, 1), done: make(chan error, 1)}
	go func() { f.done <- t.follow(f.lists) }()
	return f
}

// add hands over a tree that is wanted.
func (f *treeFeed) add(h Hash) {
	if f.list = append(f.list, h); len(f.list) == feedSize {
		f.lists <- f.list
		f.list = nil
	}
}

// finish hands over the last trees. What has not been read then is waiting in
// the marker.
func (f *treeFeed) finish() error {
	f.lists <- f.list
	close(f.lists)
	return <-f.done
}

// follow reads trees as they come, and what earlier ones have led to.
func (t *treeMarker) follow(lists <-chan []Hash) error {
	var err error
	for list := range lists {
		if err != nil {
			continue // whoever adds must not wait for ever
		}
		for i := range list {
			t.workers[0].link(&list[i], plumbing.TreeObject)
		}
		t.collect()
		err = t.next()
	}
	return err
}
