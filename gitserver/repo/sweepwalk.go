package repo

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
)

// keep marks an object and all that it leads to.
func (s *sweep) keep(h Hash) error {
	kind, err := s.marks.o.Type(h)
	if err != nil {
		return err
	}
	todo := []link{{h, kind}}
	for len(todo) > 0 {
		l := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		fresh, err := s.marks.set(l.h, markWanted)
		if err != nil {
			return err
		}
		if !fresh || l.t == plumbing.BlobObject {
			continue
		}
		if err := s.ctx.Err(); err != nil {
			return err
		}
		if todo, err = s.marks.links(todo, l); err != nil {
			return err
		}
	}
	return nil
}

// links appends the links of an object to a list. What is not marked yet is
// worth adding only; a commit's tree comes off the list before its parents.
func (m *marks) links(list []link, l link) ([]link, error) {
	data, err := m.read(l.h, l.t)
	if err != nil {
		return nil, err
	}
	switch l.t { //nolint:exhaustive // blobs have no links, and nothing else is stored
	case plumbing.CommitObject:
		c, err := parseCommit(data)
		if err != nil {
			return nil, fmt.Errorf("%w: commit %s: %w", ErrCorrupt, l.h, err)
		}
		for _, p := range c.Parents {
			list = append(list, link{p, plumbing.CommitObject})
		}
		return append(list, link{c.Tree, plumbing.TreeObject}), nil
	case plumbing.TagObject:
		h, err := m.tagTarget(l.h)
		if err != nil {
			return nil, err
		}
		t, err := m.o.Type(h)
		return append(list, link{h, t}), err
	}
	for len(data) > 0 {
		e, rest, ok := nextTreeEntry(data)
		if !ok {
			return nil, fmt.Errorf("%w: tree %s", ErrCorrupt, l.h)
		}
		data = rest
		t, ours := e.linkType()
		if !ours {
			continue
		}
		if t == plumbing.BlobObject {
			if _, err := m.set(e.hash, markWanted); err != nil {
				return nil, err
			}
			continue
		}
		list = append(list, link{e.hash, t})
	}
	return list, nil
}

// opened is the pack of a name, nil if somebody has removed it meanwhile; what
// it held lies elsewhere then.
func (s *sweep) opened(name string) (*markedPack, error) {
	for _, p := range s.marks.packs {
		if p.p.name == name+".idx" {
			return p, nil
		}
	}
	if _, err := os.Stat(filepath.Join(s.r.packDir(), name+".idx")); isNotExist(err) {
		return nil, nil
	}
	return nil, fmt.Errorf("%w: %s cannot be opened", ErrCorrupt, name)
}

// keepPack keeps all objects of a pack.
func (s *sweep) keepPack(name string) error {
	p, err := s.opened(name)
	if err != nil || p == nil {
		return err
	}
	for pos := range p.p.idx.n {
		if p.marked(pos) {
			continue
		}
		if err := s.keep(p.p.idx.hash(pos)); err != nil {
			return fmt.Errorf("follow objects of %s: %w", name, err)
		}
	}
	return nil
}

// keepLoose keeps a loose object, if it is still there and whole.
func (s *sweep) keepLoose(h Hash) error {
	l, err := openLoose(s.r.db.dir, h)
	if err != nil {
		return nil //nolint:nilerr // removed meanwhile, or damaged: it leads nowhere
	}
	if err := l.Close(); err != nil {
		return err
	}
	if err := s.keep(h); err != nil {
		return fmt.Errorf("follow loose object %s: %w", h, err)
	}
	return nil
}
