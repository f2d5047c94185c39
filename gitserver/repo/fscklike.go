package repo

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// checkTreeLike checks a tree that differs from base, a tree without faults,
// only in the objects that its entries lead to, as most trees do from the one
// before them. Then modes, names and their order are base's, and only the
// changed entries need a look. It returns false if checkTree has to decide.
func checkTreeLike(b, base []byte, link linkFunc, note blobNote) bool {
	if len(b) != len(base) {
		return false
	}
	for p := 0; ; {
		d := p + commonPrefix(b[p:], base[p:])
		if d == len(b) {
			return true
		}
		// Entries begin at the same places in both, as the names are the same.
		end := p
		for end <= d {
			p = end
			n := bytes.IndexByte(b[p:], 0)
			if n < 0 || p+n >= d {
				return false // the difference is not in a hash
			}
			end = p + n + 1 + hashSize
		}
		if end > len(b) {
			return false
		}
		e, _, ok := nextTreeEntry(b[p:end])
		if !ok || e.hash.IsZero() || checkEntryName(&e, note) != nil {
			return false
		}
		if t, ok := e.linkType(); ok {
			link(e.hash, t)
		}
		p = end
	}
}

// commonPrefix is how many bytes a and b, which are equally long, begin with in
// common.
func commonPrefix(a, b []byte) int {
	const block = 256
	n := 0
	for len(a)-n >= block && bytes.Equal(a[n:n+block], b[n:n+block]) {
		n += block
	}
	for len(a)-n >= 8 {
		x := binary.LittleEndian.Uint64(a[n:]) ^ binary.LittleEndian.Uint64(b[n:])
		if x != 0 {
			return n + bits.TrailingZeros64(x)/8
		}
		n += 8
	}
	for n < len(a) && a[n] == b[n] {
		n++
	}
	return n
}
