package repo

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// A Filter says which objects a partial clone leaves out, as `git rev-list
// --filter` does. What was asked for by name is sent in any case. Nil leaves
// out nothing.
type Filter struct {
	blobs int64 // blobs of this size or more are left out; noLimit for none
	depth int64 // trees and blobs this deep or deeper are left out; noLimit for none
	kinds uint8 // a bit for each type that is sent
}

const (
	noLimit = math.MaxInt64
	// maxFilters bounds the parts of a combined filter, however they are nested.
	maxFilters = 100
	allKinds   = math.MaxUint8
)

// ParseFilter reads a filter as clients send it: blob:none, blob:limit=N[kmg],
// tree:DEPTH, object:type=TYPE, and combine:F+F, where each F is
// percent-encoded. The error is ErrFilter.
func ParseFilter(spec string) (*Filter, error) {
	f := &Filter{blobs: noLimit, depth: noLimit, kinds: allKinds}
	left := maxFilters
	if err := f.parse(spec, &left); err != nil {
		return nil, err
	}
	return f, nil
}

// parse narrows f by another filter: an object has to pass both.
func (f *Filter) parse(spec string, left *int) error {
	if *left--; *left < 0 {
		return fmt.Errorf("%w: more than %d filters combined", ErrFilter, maxFilters)
	}
	key, value, _ := strings.Cut(spec, "=")
	switch {
	case spec == "blob:none":
		f.blobs = 0
		return nil
	case key == "blob:limit":
		n, ok := parseSize(value)
		if !ok {
			return badFilter(spec)
		}
		f.blobs = min(f.blobs, n)
		return nil
	case key == "object:type":
		return f.only(value)
	case strings.HasPrefix(spec, "sparse:"):
		return fmt.Errorf("%w: sparse filters are not served here; use blob:none and a sparse checkout", ErrFilter)
	}
	if rest, ok := strings.CutPrefix(spec, "combine:"); ok {
		return f.combine(rest, left)
	}
	if rest, ok := strings.CutPrefix(spec, "tree:"); ok {
		n, ok := parseSize(rest)
		if !ok {
			return badFilter(spec)
		}
		f.depth = min(f.depth, n)
		return nil
	}
	return badFilter(spec)
}

func badFilter(spec string) error {
	const most = 64
	return fmt.Errorf("%w: %q; use blob:none, blob:limit=N, tree:DEPTH or object:type=TYPE", ErrFilter, spec[:min(len(spec), most)])
}

func (f *Filter) only(name string) error {
	kind, ok := parseType(name)
	if !ok {
		return badFilter("object:type=" + name)
	}
	f.kinds &= 1 << kind
	return nil
}

// reservedInFilter are the characters that have to be encoded in a part of a
// combined filter (git-rev-list, "--filter").
const reservedInFilter = "~`!@#$^&*()[]{}\\;'\",<>?"

func (f *Filter) combine(list string, left *int) error {
	if list == "" {
		return badFilter("combine:")
	}
	for part := range strings.SplitSeq(list, "+") {
		if part == "" {
			continue
		}
		spec, err := url.PathUnescape(part)
		if err != nil || strings.ContainsAny(part, reservedInFilter) || strings.ContainsFunc(part, func(c rune) bool { return c <= ' ' }) {
			return badFilter(part)
		}
		if err := f.parse(spec, left); err != nil {
			return err
		}
	}
	return nil
}

// parseSize reads a number with git's suffixes for powers of 1024.
func parseSize(s string) (int64, bool) {
	unit := int64(1)
	if s != "" {
		switch s[len(s)-1] | 0x20 {
		case 'k':
			unit = 1 << 10
		case 'm':
			unit = 1 << 20
		case 'g':
			unit = 1 << 30
		}
	}
	if unit > 1 {
		s = s[:len(s)-1]
	}
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil || int64(n) > math.MaxInt64/unit {
		return 0, false
	}
	return int64(n) * unit, true
}

// sends says whether objects of a type pass, whatever their size and depth.
func (f *Filter) sends(t ObjectType) bool {
	if f == nil {
		return true
	}
	return f.kinds>>t&1 != 0 && (t != plumbing.BlobObject || f.blobs > 0)
}

// walksTrees says whether trees have to be read.
func (f *Filter) walksTrees() bool {
	if f == nil {
		return true
	}
	return f.depth > 0 && (f.sends(plumbing.TreeObject) || f.sends(plumbing.BlobObject))
}

// keepsBases says whether the reader of a thin pack can be relied on to have
// the bases that its earlier, equally filtered fetches suggest. Blobs are not
// marked as had where none are sent.
func (f *Filter) keepsBases() bool {
	return f == nil || f.blobs == 0 && f.depth == noLimit && f.kinds == allKinds
}

// walksPlainly says whether trees and blobs pass or do not by their type alone,
// and all trees do.
func (f *Filter) walksPlainly() bool {
	if f == nil {
		return true
	}
	return f.depth == noLimit && f.sends(plumbing.TreeObject) && (f.blobs == noLimit || !f.sends(plumbing.BlobObject))
}
