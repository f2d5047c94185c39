package repo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// PackRefs moves loose references into packed-refs, as `git pack-refs --all`
// does, and returns how many. Symbolic and broken ones stay, and so do those
// that others are just moving. It takes git's own locks, and holds the one of
// packed-refs no longer than it takes to write the file.
func (r *Repo) PackRefs(ctx context.Context) (int, error) {
	n, err := r.packRefs(ctx)
	if err != nil {
		return n, fmt.Errorf("pack references of %s: %w", r.dir, err)
	}
	return n, nil
}

func (r *Repo) packRefs(ctx context.Context) (int, error) {
	loose, err := r.packable()
	if err != nil || len(loose) == 0 {
		return 0, err
	}
	v, err := r.addPacked(ctx, loose)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, ref := range loose {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		ok, err := r.pruneRef(ctx, ref, v)
		if err != nil {
			return n, err
		}
		if ok {
			n++
		}
	}
	return n, nil
}

// packable lists the loose references that can be packed, by name.
func (r *Repo) packable() ([]Ref, error) {
	names, err := r.looseNames()
	if err != nil {
		return nil, err
	}
	var list []Ref
	for _, name := range names {
		if perWorktree(name) {
			continue
		}
		v, err := r.readLoose(name)
		if isNotExist(err) || errors.Is(err, errBroken) || v.target != "" {
			continue
		}
		if err != nil {
			return nil, err
		}
		ref := Ref{Name: name, Hash: v.hash}
		switch err := r.peel(&ref); {
		case errors.Is(err, ErrNotFound): // as git, which calls it broken
		case err != nil:
			return nil, err
		default:
			list = append(list, ref)
		}
	}
	return list, nil
}

// perWorktree says whether each work tree has a reference of that name for itself.
func perWorktree(name string) bool {
	return strings.HasPrefix(name, "refs/bisect/") || strings.HasPrefix(name, "refs/worktree/") || strings.HasPrefix(name, "refs/rewritten/")
}

// peel fills in what an annotated tag leads to.
func (r *Repo) peel(ref *Ref) error {
	kind, err := r.Type(ref.Hash)
	if err != nil || kind != plumbing.TagObject {
		return err
	}
	ref.Peeled, _, err = r.Peel(ref.Hash)
	return err
}

// addPacked writes packed-refs with more references.
func (r *Repo) addPacked(ctx context.Context, more []Ref) (*packedView, error) {
	wait, cancel := context.WithTimeout(ctx, r.o.LockTimeout)
	defer cancel()
	l, err := r.lock(wait, r.path("packed-refs"), nil)
	if err != nil {
		return nil, err
	}
	v, err := r.writePacked(ctx, l, more)
	return v, errors.Join(err, l.release())
}

func (r *Repo) writePacked(ctx context.Context, l *lockFile, more []Ref) (*packedView, error) {
	old, err := r.readPacked()
	if err != nil {
		return nil, err
	}
	packed := &packedRefs{fully: true, refs: merge(old.refs, more)}
	if !old.fully {
		for i := range packed.refs {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if err := r.peel(&packed.refs[i]); err != nil {
				packed.fully = false // a broken one is no reason to fail
			}
		}
	}
	// As C git: the lock stays while a second file takes the place of the first.
	path := l.path + packedNew
	if err := r.remove(path); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	err = packed.write(bufio.NewWriterSize(f, 64<<10), nil)
	if err == nil && !r.o.NoSync {
		err = f.Sync()
	}
	info, serr := f.Stat()
	if err = errors.Join(err, serr, f.Close()); err == nil {
		err = r.rename(path, l.path)
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(path))
	}
	return &packedView{refs: packed, info: info}, r.sync(r.dir, syncDir)
}

// merge merges two sorted lists; where both have a name, more wins.
func merge(refs, more []Ref) []Ref {
	out := make([]Ref, 0, len(refs)+len(more))
	for len(refs) > 0 && len(more) > 0 {
		switch c := compareRef(refs[0], more[0]); {
		case c < 0:
			out = append(out, refs[0])
			refs = refs[1:]
		case c > 0:
			out = append(out, more[0])
			more = more[1:]
		default:
			refs = refs[1:]
		}
	}
	return append(append(out, refs...), more...)
}

// pruneRef removes a loose reference that packed-refs holds with the same
// value, if nobody is just moving it.
func (r *Repo) pruneRef(ctx context.Context, ref Ref, v *packedView) (bool, error) {
	now, cancel := context.WithCancel(ctx)
	cancel() // whoever has the lock may be waiting for that of packed-refs
	l, err := r.lock(now, r.path(ref.Name), nil)
	if errors.Is(err, ErrRefLocked) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	ok, err := r.pruneLocked(ref, v)
	err = errors.Join(err, l.release())
	if ok {
		r.removeEmptyParents(l.path)
	}
	return ok, err
}

func (r *Repo) pruneLocked(ref Ref, v *packedView) (bool, error) {
	is, err := r.readLoose(ref.Name)
	if isNotExist(err) || errors.Is(err, errBroken) {
		return false, nil
	}
	if err != nil || is.target != "" || is.hash != ref.Hash {
		return false, err
	}
	// It may have been deleted, from packed-refs too, and made again.
	packed, err := r.view(v)
	if err != nil {
		return false, err
	}
	if p, ok := packed.find(ref.Name); !ok || p.Hash != ref.Hash {
		return false, nil
	}
	err = r.remove(r.path(ref.Name))
	return err == nil, err
}

// guessLooseRefs counts loose references, up to a limit.
func (r *Repo) guessLooseRefs(limit int) (int, error) {
	n := 0
	err := filepath.WalkDir(r.path("refs"), func(_ string, d fs.DirEntry, err error) error {
		switch {
		case isNotExist(err):
			return nil
		case err != nil:
			return err
		case d.IsDir():
			return nil
		}
		if n++; n >= limit {
			return fs.SkipAll
		}
		return nil
	})
	return n, err
}
