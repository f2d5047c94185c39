package repo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/bits"

	"github.com/go-git/go-git/v5/plumbing"
)

// A linked set says which objects of a repository something links to. It is
// used by one goroutine.
type linked struct {
	m     *marks
	packs []*markedPack // of marks, when this began
	slots []Hash        // what was added lately: trees repeat most of each other's links
	bits  [][]uint64    // one by pack and position
	loose map[Hash]bool
}

func newLinked(m *marks, loose []Hash) *linked {
	l := &linked{m: m, packs: m.packs, loose: make(map[Hash]bool, len(loose))}
	for _, h := range loose {
		if _, packed := findIn(l.packs, h); !packed {
			l.loose[h] = false
		}
	}
	return l.part()
}

// part is an empty set of the same objects, for another goroutine.
func (l *linked) part() *linked {
	const slots = 64 << 10
	o := &linked{m: l.m, packs: l.packs, slots: make([]Hash, slots), bits: make([][]uint64, len(l.packs)), loose: make(map[Hash]bool, len(l.loose))}
	for i, p := range l.packs {
		o.bits[i] = make([]uint64, len(p.bits[markWanted]))
	}
	for h := range l.loose {
		o.loose[h] = false
	}
	return o
}

// add notes a link. One that leads nowhere makes no difference.
func (l *linked) add(h *Hash) {
	slot := &l.slots[binary.LittleEndian.Uint32(h[:])&uint32(len(l.slots)-1)]
	if *slot == *h {
		return
	}
	*slot = *h
	if s, ok := findIn(l.packs, *h); ok {
		l.bits[s.pack][s.pos/64] |= 1 << (s.pos % 64)
	} else if _, ok := l.loose[*h]; ok {
		l.loose[*h] = true
	}
}

// join takes over what another one has noted.
func (l *linked) join(o *linked) {
	for i, words := range o.bits {
		for j, w := range words {
			l.bits[i][j] |= w
		}
	}
	for h, is := range o.loose {
		l.loose[h] = l.loose[h] || is
	}
}

// cover says whether every tree and every blob is linked to, or wanted itself.
func (l *linked) cover() (bool, error) {
	odd := 0
	for i, p := range l.packs {
		for j, w := range l.bits[i] {
			for free := ^(w | p.bits[markWanted][j]); free != 0; free &= free - 1 {
				pos := j*64 + bits.TrailingZeros64(free)
				if pos >= p.p.idx.n {
					break
				}
				if odd++; odd > maxOdd {
					return false, nil
				}
				if above, err := l.above(i, pos); !above || err != nil {
					return false, err
				}
			}
		}
	}
	for h, is := range l.loose {
		if _, wanted := l.m.loose[h]; is || wanted {
			continue
		}
		kind, err := l.m.o.Type(h)
		if err != nil || kind == plumbing.TreeObject || kind == plumbing.BlobObject {
			return false, err
		}
	}
	return true, nil
}

// maxOdd is how many objects that nothing links to are looked at.
const maxOdd = 10_000

// above says whether what nothing links to is a commit or a tag, which the walk
// has not found, or lies in another pack, too, where marks looks first.
func (l *linked) above(pack, pos int) (bool, error) {
	p := l.packs[pack].p
	if !l.owns(pack, p.idx.hash(pos)) {
		return true, nil
	}
	off, err := p.idx.offset(pos)
	if err != nil {
		return false, err
	}
	kind, err := p.kind(off)
	return kind == plumbing.CommitObject || kind == plumbing.TagObject, err
}

// owns says whether it is in this pack that marks finds h.
func (l *linked) owns(pack int, h Hash) bool {
	s, _ := findIn(l.packs, h)
	return s.pack == pack
}

// markAll marks the commits and what is linked to as wanted, if that is every
// tree and every blob.
func (l *linked) markAll(commits []*walked) (bool, error) {
	for _, c := range commits {
		if _, err := l.m.set(c.hash, markWanted); err != nil {
			return false, err
		}
		l.add(&c.tree)
	}
	if all, err := l.cover(); !all || err != nil {
		return false, err
	}
	for i, p := range l.packs {
		for j, w := range l.bits[i] {
			p.bits[markWanted][j] |= w
		}
	}
	for h, is := range l.loose {
		if is {
			l.m.loose[h] = markWanted
		}
	}
	return true, nil
}

var errTree = errors.New("malformed tree")

// tree notes the links of a tree. If a delta made it of base, whose links are
// noted already, it takes only the entries from the first one that differs to the
// last one. To take a place in base for the beginning of an entry that is none
// could only hide a link.
func (l *linked) tree(data, base []byte) error {
	n := min(len(data), len(base))
	same := commonPrefix(data[:n], base[:n])
	if same == len(data) {
		return nil
	}
	tail := commonSuffix(data[same:], base[same:])
	for at := 0; at < len(data)-tail; {
		name := bytes.IndexByte(data[at:], 0) + 1 // mode, space and name
		end := at + name + hashSize
		if name <= len("40000 ") || end > len(data) {
			return errTree
		}
		if end > same {
			if _, ours := linkTypeOf(data[at:]); ours {
				l.add((*Hash)(data[end-hashSize:]))
			}
		}
		at = end
	}
	return nil
}

// commonSuffix is how many bytes a and b end with in common.
func commonSuffix(a, b []byte) int {
	n, most := 0, min(len(a), len(b))
	for most-n >= 8 && string(a[len(a)-n-8:len(a)-n]) == string(b[len(b)-n-8:len(b)-n]) {
		n += 8
	}
	for n < most && a[len(a)-n-1] == b[len(b)-n-1] {
		n++
	}
	return n
}
