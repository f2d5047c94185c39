package repo

import (
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
)

// A checker names new objects and checks their content. Each goroutine has one.
type checker struct {
	*hasher
	links *linkSet
	notes map[Hash]noteKind // blobs to be looked into when all objects are known
}

const maxNotes = 1 << 20

func newChecker(dir string, n int) *checker {
	return &checker{hasher: newHasher(), links: newLinkSet(dir, n), notes: make(map[Hash]noteKind)}
}

// check names an object and checks it.
func (c *checker) check(t ObjectType, data []byte) (Hash, error) {
	return c.checkLike(t, data, nil)
}

// checkLike is check for an object that a delta made of base, which has passed.
func (c *checker) checkLike(t ObjectType, data, base []byte) (Hash, error) {
	h, err := c.sum(t, data)
	if err != nil {
		return h, err
	}
	if t == plumbing.TreeObject && checkTreeLike(data, base, c.links.add, c.note) {
		return h, nil
	}
	switch t { //nolint:exhaustive // blobs are free, and deltas resolved by now
	case plumbing.CommitObject:
		err = checkCommit(data, c.links.add)
	case plumbing.TreeObject:
		err = checkTree(data, c.links.add, c.note)
	case plumbing.TagObject:
		err = checkTag(data, c.links.add)
	}
	if err == nil && len(c.notes) > maxNotes {
		err = fmt.Errorf("%w: more than %d different .gitmodules and .gitattributes", ErrLimit, maxNotes)
	}
	return h, inObject(err, h, t)
}

func (c *checker) note(h Hash, kind noteKind) { c.notes[h] |= kind }

// inObject tells an ObjectError which object it is about.
func inObject(err error, h Hash, t ObjectType) error {
	if oe, ok := errors.AsType[*ObjectError](err); ok {
		oe.Hash, oe.Type = h, t
	}
	return err
}
