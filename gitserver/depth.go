package gitserver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/pktline"
	"slipway/gitserver/repo"
)

// A depthRequest is what a client says of shallow history: where its own ends,
// and how far it is to go.
type depthRequest struct {
	shallow []plumbing.Hash // where it ends; those that we have
	known   map[plumbing.Hash]bool
	deepens bool
	ranged  bool // by time or by ref
	to      repo.Deepening

	boundary *repo.Boundary // what came of it; nil unless deepens
}

// depthLine takes a line that is about shallow history, and reports whether it
// is one.
func (n *negotiation) depthLine(line string) (bool, error) {
	key, value, _ := strings.Cut(line, " ")
	d := &n.depth
	var err error
	switch key {
	case "shallow":
		return true, n.shallow(value)
	case "deepen":
		var depth int64
		if depth, err = strconv.ParseInt(value, 0, 32); err != nil || depth <= 0 {
			return true, malformed(line)
		}
		d.to.Depth = int(depth)
	case "deepen-since":
		if d.to.Since, err = strconv.ParseInt(value, 0, 64); err != nil || d.to.Since < 0 {
			return true, malformed(line)
		}
		d.ranged = true
	case "deepen-not":
		if err := n.deepenNot(value); err != nil {
			return true, err
		}
		d.ranged = true
	default:
		return false, nil
	}
	d.deepens = true
	if d.ranged && d.to.Depth > 0 {
		return true, refuse("deepen and deepen-since (or deepen-not) cannot be used together; use one of --depth, --shallow-since and --shallow-exclude")
	}
	return true, nil
}

func malformed(line string) error { return refuse("malformed line %q in a fetch", clip(line, 64)) }

// shallow notes where the client's history ends. Commits that we do not know
// make no difference to what we send.
func (n *negotiation) shallow(id string) error {
	h, ok := parseHash(id)
	if !ok {
		return malformed("shallow " + id)
	}
	if n.depth.known[h] {
		return nil
	}
	kind, err := n.repo.Type(h)
	switch {
	case errors.Is(err, repo.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("look up %s: %w", h, err)
	case kind != plumbing.CommitObject:
		return refuse("invalid shallow object %s: it is a %s", h, kind)
	}
	if n.depth.known == nil {
		n.depth.known = make(map[plumbing.Hash]bool)
	}
	n.depth.known[h] = true
	n.depth.shallow = append(n.depth.shallow, h)
	return nil
}

func (n *negotiation) deepenNot(name string) error {
	all, err := n.see()
	if err != nil {
		return err
	}
	found := all.expand(name)
	switch len(found) {
	case 0:
		return refuse("deepen-not is not a ref: %q", clip(name, 64))
	case 1:
		n.depth.to.Not = append(n.depth.to.Not, found[0])
		return nil
	}
	return refuse("ambiguous deepen-not: %q; use the full name of the ref", clip(name, 64))
}

// deepen finds the new boundary, if the client asked for one. Relative to its
// own boundary only that counts which a ref leads to, as in git.
func (n *negotiation) deepen(ctx context.Context) error {
	d := &n.depth
	if !d.deepens {
		return nil
	}
	shallow := d.shallow
	if d.to.Relative && d.to.Depth != repo.InfiniteDepth {
		all, err := n.see()
		if err != nil {
			return err
		}
		lost, err := n.repo.Unreachable(ctx, all.tips(), shallow, maxReachWalk)
		if err != nil {
			return fmt.Errorf("look for the client's boundary: %w", err)
		}
		shallow = without(shallow, lost)
	}
	b, err := n.repo.Deepen(ctx, n.wants, shallow, d.to)
	if errors.Is(err, repo.ErrNoCommits) {
		return refuse("no commits selected for shallow requests; ask for older ones")
	}
	d.boundary = b
	return err
}

func without(list, gone []plumbing.Hash) []plumbing.Hash {
	drop := make(map[plumbing.Hash]bool, len(gone))
	for _, h := range gone {
		drop[h] = true
	}
	return slices.DeleteFunc(slices.Clone(list), func(h plumbing.Hash) bool { return drop[h] })
}

// send writes the lines that tell the client of its new boundary.
func (b *depthRequest) send(pkt *pktline.Writer) {
	if b.boundary == nil {
		return
	}
	for _, h := range b.boundary.Shallow {
		_ = pkt.Linef("shallow %s", h) // Err returns the first error
	}
	for _, h := range b.boundary.Unshallow {
		_ = pkt.Linef("unshallow %s", h) // Err returns the first error
	}
}

// pack is what the pack is to hold: everything from wants and not from haves,
// as a client sees it whose history ends at shallow.
func (n *negotiation) pack() (wants, haves, shallow []plumbing.Hash) {
	wants, haves, shallow = n.wants, n.haves, n.depth.shallow
	if b := n.depth.boundary; b != nil {
		wants = append(slices.Clip(wants), b.Parents...)
		haves = append(slices.Clip(haves), b.Unshallow...)
		shallow = append(slices.Clip(shallow), b.Shallow...)
	}
	return wants, haves, shallow
}
