package repo

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// A Ref is a reference that exists.
type Ref struct {
	Name   string
	Hash   Hash
	Peeled Hash   // what an annotated tag leads to, when packed-refs knows it; else zero (see Objects.Peel)
	Target string // the name that a symbolic reference points to, else ""
}

// A refValue is the content of a loose reference: a name or a hash.
type refValue struct {
	hash   Hash
	target string
}

var errBroken = errors.New("broken reference")

// parseRefValue reads the content of HEAD or of a loose reference.
func parseRefValue(b []byte) (refValue, error) {
	if rest, ok := bytes.CutPrefix(b, []byte("ref:")); ok {
		target := strings.TrimSpace(string(rest))
		if CheckRefName(target) != nil {
			return refValue{}, errBroken
		}
		return refValue{target: target}, nil
	}
	// As git: what follows the hash must be white space.
	if len(b) == 2*hashSize {
		b = append(bytes.Clone(b), '\n')
	}
	if len(b) <= 2*hashSize || !isConfigSpace(b[2*hashSize]) {
		return refValue{}, errBroken
	}
	h, _, ok := hexLine(append(bytes.Clone(b[:2*hashSize]), '\n'))
	if !ok {
		return refValue{}, errBroken
	}
	return refValue{hash: h}, nil
}

// readLoose reads a loose reference; the error is fs.ErrNotExist if there is
// none, and errBroken if it makes no sense.
func (r *Repo) readLoose(name string) (refValue, error) {
	b, err := os.ReadFile(r.path(name))
	switch {
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.ENAMETOOLONG):
		return refValue{}, fs.ErrNotExist
	case err != nil:
		return refValue{}, err
	}
	return parseRefValue(b)
}

// Head is the name that HEAD points to, which need not exist ("refs/heads/main"),
// or "" if HEAD is detached.
func (r *Repo) Head() (target string, err error) {
	v, err := r.readLoose("HEAD")
	if err != nil {
		return "", fmt.Errorf("read HEAD: %w", err)
	}
	return v.target, nil
}

// maxSymrefs is how many symbolic references may point to each other.
const maxSymrefs = 5

// Ref reads one reference, "HEAD" included. The error is ErrNotFound if it
// does not exist.
func (r *Repo) Ref(name string) (Ref, error) {
	if name != "HEAD" {
		if err := CheckRefName(name); err != nil {
			return Ref{}, err
		}
	}
	ref, err := r.ref(name, nil)
	if err != nil {
		return Ref{}, fmt.Errorf("reference %q: %w", name, err)
	}
	return ref, nil
}

// ref reads a reference, with packed-refs if the caller has read it.
func (r *Repo) ref(name string, packed *packedRefs) (Ref, error) {
	ref := Ref{Name: name}
	for range maxSymrefs {
		v, err := r.readLoose(name)
		switch {
		case err == nil && v.target != "":
			if ref.Target == "" {
				ref.Target = v.target
			}
			name = v.target
			continue
		case err == nil:
			ref.Hash = v.hash
			return ref, nil
		case !isNotExist(err):
			return ref, err
		}
		if packed == nil {
			if packed, err = r.readPacked(); err != nil {
				return ref, err
			}
		}
		p, ok := packed.find(name)
		if !ok {
			return ref, ErrNotFound
		}
		ref.Hash, ref.Peeled = p.Hash, p.Peeled
		return ref, nil
	}
	return ref, fmt.Errorf("%w: too many symbolic references", errBroken)
}

// Refs lists the references below refs/, loose and packed, by name. Symbolic
// ones carry the value that they lead to; broken ones are left out. HEAD is
// not among them.
func (r *Repo) Refs() ([]Ref, error) {
	// Loose first: `git pack-refs` writes packed-refs before it removes them.
	names, err := r.looseNames()
	if err != nil {
		return nil, fmt.Errorf("list references: %w", err)
	}
	type looseRef struct {
		name   string
		v      refValue
		broken bool
	}
	var loose []looseRef
	for _, name := range names {
		v, err := r.readLoose(name)
		switch {
		case isNotExist(err):
			continue
		case err != nil && !errors.Is(err, errBroken):
			return nil, fmt.Errorf("list references: %w", err)
		}
		loose = append(loose, looseRef{name, v, err != nil})
	}
	packed, err := r.readPacked()
	if err != nil {
		return nil, fmt.Errorf("list references: %w", err)
	}
	refs := make([]Ref, 0, len(loose)+len(packed.refs))
	rest := packed.refs
	for _, l := range loose {
		for len(rest) > 0 && rest[0].Name < l.name {
			refs = append(refs, rest[0])
			rest = rest[1:]
		}
		ref := Ref{Name: l.name, Hash: l.v.hash}
		if len(rest) > 0 && rest[0].Name == l.name { // a loose one hides it
			if rest[0].Hash == ref.Hash {
				ref.Peeled = rest[0].Peeled
			}
			rest = rest[1:]
		}
		if l.v.target != "" {
			ref, err = r.ref(l.name, packed)
			l.broken = err != nil // leads nowhere
		}
		if !l.broken {
			refs = append(refs, ref)
		}
	}
	return append(refs, rest...), nil
}

// looseNames lists the files below refs/ whose names are references'.
func (r *Repo) looseNames() ([]string, error) {
	var names []string
	err := filepath.WalkDir(r.path("refs"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if isNotExist(err) {
				return nil // removed meanwhile
			}
			return err
		}
		if d.IsDir() {
			return nil
		}
		rel, err := filepath.Rel(r.dir, path)
		if err != nil {
			return err
		}
		if name := filepath.ToSlash(rel); CheckRefName(name) == nil {
			names = append(names, name)
		}
		return nil
	})
	slices.Sort(names)
	return names, err
}
