package repo

import (
	"bytes"
	"testing"
)

// FuzzTreeLike holds checkTreeLike to checkTree: what it lets pass has no
// faults, and it tells of every entry that changed.
func FuzzTreeLike(f *testing.F) {
	a, b := string(bytes.Repeat([]byte{7}, hashSize)), string(bytes.Repeat([]byte{9}, hashSize))
	zero := string(make([]byte, hashSize))
	f.Add([]byte("100644 a\x00"+a+"40000 b\x00"+a), []byte("100644 a\x00"+a+"40000 b\x00"+b))
	f.Add([]byte("100644 a\x00"+a+"40000 b\x00"+a), []byte("100644 a\x00"+b+"40000 c\x00"+a))
	f.Add([]byte("100644 .gitmodules\x00"+a+"160000 b\x00"+a), []byte("100644 .gitmodules\x00"+b+"160000 b\x00"+b))
	f.Add([]byte("100644 a\x00"+a), []byte("100644 a\x00"+zero))
	f.Add([]byte("100644 a\x00"+a), []byte("100644 \x00b"+a))
	f.Add([]byte("100644 a\x00"+a+"40000 b\x00"+a), []byte("100644 a\x00"+zero[:1]+a[1:]+"40000 b\x00"+a))
	type seen struct {
		h Hash
		t ObjectType
	}
	run := func(check func(linkFunc, blobNote) bool) (map[seen]bool, map[Hash]noteKind, bool) {
		links, notes := make(map[seen]bool), make(map[Hash]noteKind)
		ok := check(func(h Hash, t ObjectType) { links[seen{h, t}] = true }, func(h Hash, k noteKind) { notes[h] |= k })
		return links, notes, ok
	}
	whole := func(tree []byte) func(linkFunc, blobNote) bool {
		return func(l linkFunc, n blobNote) bool { return checkTree(tree, l, n) == nil }
	}
	f.Fuzz(func(t *testing.T, base, tree []byte) {
		baseLinks, baseNotes, ok := run(whole(base))
		if !ok {
			return
		}
		links, notes, ok := run(func(l linkFunc, n blobNote) bool { return checkTreeLike(tree, base, l, n) })
		if !ok {
			return
		}
		want, wantNotes, ok := run(whole(tree))
		if !ok {
			t.Fatalf("checkTreeLike(%q, %q) = true, but the tree has faults", tree, base)
		}
		for l := range want {
			if !links[l] && !baseLinks[l] {
				t.Errorf("checkTreeLike(%q, %q) does not tell of %s", tree, base, l.h)
			}
		}
		for h, k := range wantNotes {
			if (notes[h]|baseNotes[h])&k != k {
				t.Errorf("checkTreeLike(%q, %q) does not note %s", tree, base, h)
			}
		}
	})
}

func TestCommonPrefix(t *testing.T) {
	t.Parallel()
	a := bytes.Repeat([]byte("0123456789abcdef"), 100)
	for n := range len(a) + 1 {
		b := bytes.Clone(a)
		if n < len(b) {
			b[n] ^= 0x80
		}
		if got := commonPrefix(a, b); got != n {
			t.Errorf("commonPrefix of what differs at %d = %d", n, got)
		}
	}
}
