package gitserver

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/repo"
)

// maxReachWalk bounds the commits that are read to find out whether a wanted
// one is reachable: some seconds of work.
const maxReachWalk = 2_000_000

// want adds an object that the client asks for. See check for what it may ask for.
func (n *negotiation) want(h plumbing.Hash) error {
	if n.wanted[h] {
		return nil
	}
	kind, err := n.repo.Type(h)
	if errors.Is(err, repo.ErrNotFound) {
		return notOurRef(h)
	}
	if err != nil {
		return fmt.Errorf("look up %s: %w", h, err)
	}
	if kind == plumbing.CommitObject || kind == plumbing.TagObject {
		n.named = append(n.named, h)
	}
	n.add(h)
	return nil
}

func notOurRef(h plumbing.Hash) error {
	return refuse("upload-pack: not our ref %s; fetch again, or fetch a ref that leads to it", h)
}

func (n *negotiation) add(h plumbing.Hash) {
	if !n.wanted[h] {
		n.wanted[h] = true
		n.wants = append(n.wants, h)
	}
}

// wantRef adds a ref that the client asks for by its full name.
func (n *negotiation) wantRef(name string) error {
	if n.byName[name] {
		return refuse("duplicate want-ref %q", clip(name, 64))
	}
	all, err := n.see()
	if err != nil {
		return err
	}
	h, ok := all.find(name)
	if !ok {
		return refuse("unknown ref %q; fetch again", clip(name, 64))
	}
	n.byName[name] = true
	n.refs = append(n.refs, repo.Ref{Name: name, Hash: h})
	n.add(h)
	return nil
}

// see reads the refs that the client sees, once.
func (n *negotiation) see() (*refs, error) {
	if n.visible == nil {
		all, err := readRefs(n.repo, n.hidden)
		if err != nil {
			return nil, err
		}
		n.visible = all
	}
	return n.visible, nil
}

// check refuses commits and tags that no ref leads to, or only hidden ones, as
// those of a deleted branch. Trees and blobs are sent to whoever knows their
// names, as git does in protocol v2: a partial clone asks for thousands of
// them, and to find out where they belong would take a walk of everything.
func (n *negotiation) check(ctx context.Context) error {
	if len(n.named) == 0 {
		return nil
	}
	all, err := n.see()
	if err != nil {
		return err
	}
	tips := all.tips()
	rest := without(n.named, tips)
	if len(rest) == 0 {
		return nil
	}
	lost, err := n.repo.Unreachable(ctx, tips, rest, maxReachWalk)
	switch {
	case errors.Is(err, repo.ErrLimit):
		return refuse("it would take too long to find out whether a ref leads to %s; fetch the ref instead", rest[0])
	case err != nil:
		return err
	case len(lost) > 0:
		return notOurRef(lost[0])
	}
	return nil
}
