package repo

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// everything marks what a full clone gets, without reading trees from the top
// down, and reports whether it did: whether no tree and no blob is unreachable.
// It runs the walk of the commits.
//
// Links make no cycles. So what the wanted commits do not reach hangs on a tree
// or a blob that neither they nor any tree links to. If there is none, all trees
// and blobs are reachable. And to find what is linked to, trees can be read in
// any order: in that of the packs, each beside the one that it is a delta of.
func (s *sender) everything(ctx context.Context, w *walk) (bool, error) {
	loose, few, err := looseNames(s.r.db.dir)
	if err != nil || !few {
		return false, errors.Join(err, w.run())
	}
	l := newLinked(s.m, loose)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	scanned := make(chan error, 1)
	go func() { scanned <- l.scan(ctx, s) }()
	if err = w.run(); err != nil {
		cancel()
	}
	damage := <-scanned
	if err := cmp.Or(err, s.ctx.Err()); err != nil {
		return false, err
	}
	// The walk may do without what is damaged, or says what it is. And it finds
	// packs that have come meanwhile.
	if damage != nil || len(l.packs) != len(s.m.packs) {
		return false, nil
	}
	w.commits = make(map[Hash]*walked) // they are all in the list
	return l.markAll(w.list)
}

// wantsAll says whether this is a clone of all that there is. If a branch is not
// wanted there most likely is something that is not to be sent; tags lead to
// little of their own.
func (s *sender) wantsAll(wants, haves []Hash) (bool, error) {
	if len(haves) > 0 || s.o.Filter != nil || len(s.o.Shallow) > 0 {
		return false, nil
	}
	wanted := make(map[Hash]bool, len(wants))
	for _, h := range wants {
		wanted[h] = true
	}
	refs, err := s.r.Refs()
	for _, ref := range refs {
		if !wanted[ref.Hash] && !strings.HasPrefix(ref.Name, "refs/tags/") {
			return false, err
		}
	}
	return err == nil, err
}

// maxLoose is how many loose objects a clone reads to do without a walk.
const maxLoose = 1000

// looseNames lists the loose objects, and reports whether there are few.
func looseNames(dir string) ([]Hash, bool, error) {
	var list []Hash
	for i := range 256 {
		sub := Hash{byte(i)}.String()[:2]
		names, err := readNames(filepath.Join(dir, sub))
		if err != nil && !isNotExist(err) {
			return nil, false, err
		}
		for _, n := range names {
			if plumbing.IsHash(sub + n) {
				list = append(list, plumbing.NewHash(sub+n))
			}
		}
		if len(list) > maxLoose {
			return nil, false, nil
		}
	}
	return list, true, nil
}
