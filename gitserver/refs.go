package gitserver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/repo"
)

// refs are the references of a repository that a fetch sees.
type refs struct {
	list   []repo.Ref    // by name, without the hidden ones
	target string        // where HEAD points to; "" if it is detached, or that is hidden
	head   plumbing.Hash // where HEAD leads; zero if unborn, or hidden
}

// readRefs reads the references that are not hidden. HEAD is hidden with the
// branch that it points to.
func readRefs(r *repo.Repo, rules []string) (*refs, error) {
	list, err := r.Refs()
	if err != nil {
		return nil, fmt.Errorf("read refs: %w", err)
	}
	target, err := r.Head()
	if err != nil {
		return nil, fmt.Errorf("read HEAD: %w", err)
	}
	all := &refs{list: slices.DeleteFunc(list, func(ref repo.Ref) bool { return hidden(rules, ref.Name) })}
	if hidden(rules, "HEAD") || hidden(rules, target) {
		return all, nil
	}
	all.target = target
	head, err := r.Ref("HEAD")
	if err == nil {
		all.head = head.Hash
	} else if !errors.Is(err, repo.ErrNotFound) {
		return nil, fmt.Errorf("read HEAD: %w", err)
	}
	return all, nil
}

// find returns what a full name, HEAD included, leads to.
func (a *refs) find(name string) (plumbing.Hash, bool) {
	if name == "HEAD" {
		return a.head, !a.head.IsZero()
	}
	i, ok := slices.BinarySearchFunc(a.list, name, func(r repo.Ref, name string) int { return strings.Compare(r.Name, name) })
	if !ok {
		return plumbing.ZeroHash, false
	}
	return a.list[i].Hash, true
}

// expand finds a ref by a short name, by git's rules. All that fit are returned.
func (a *refs) expand(name string) []plumbing.Hash {
	var found []plumbing.Hash
	for _, rule := range []string{"%s", "refs/%s", "refs/tags/%s", "refs/heads/%s", "refs/remotes/%s", "refs/remotes/%s/HEAD"} {
		if h, ok := a.find(fmt.Sprintf(rule, name)); ok {
			found = append(found, h)
		}
	}
	return found
}

// tips are what the refs lead to.
func (a *refs) tips() []plumbing.Hash {
	tips := make([]plumbing.Hash, 0, len(a.list)+1)
	if !a.head.IsZero() {
		tips = append(tips, a.head)
	}
	for _, ref := range a.list {
		tips = append(tips, ref.Hash)
	}
	return tips
}

// peel finds what an annotated tag leads to; zero for anything else.
func peel(ctx context.Context, r *repo.Repo, ref *repo.Ref) (plumbing.Hash, error) {
	if !ref.Peeled.IsZero() || strings.HasPrefix(ref.Name, branchPrefix) {
		return ref.Peeled, ctx.Err()
	}
	to, _, err := r.Peel(ref.Hash)
	if errors.Is(err, repo.ErrNotFound) {
		return plumbing.ZeroHash, nil // a broken ref must not keep the others from being fetched
	}
	if err != nil {
		return to, fmt.Errorf("peel %s: %w", ref.Name, err)
	}
	if to == ref.Hash {
		return plumbing.ZeroHash, ctx.Err()
	}
	return to, ctx.Err()
}
