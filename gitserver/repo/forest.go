package repo

import (
	"bytes"
	"fmt"
	"slices"
	"sort"

	"github.com/go-git/go-git/v5/plumbing"
)

// A forest is some trees of a pack and the entries that they are deltas of,
// linked from bases to deltas.
type forest struct {
	p      *packFile
	nodes  []forestNode
	sorted int // of nodes, which are in the order of their offsets
	extra  map[int64]int32
	roots  []int32 // nodes that are no deltas
}

// A forestNode is an entry of the pack.
type forestNode struct {
	off         int64
	child, next int32 // first delta on it, next delta on the same base, -1 for none
	wanted      bool  // not only a base of others
}

// newForest makes the forest of the trees at positions of the index.
func newForest(p *packFile, trees []uint32) (*forest, error) {
	f := &forest{p: p, nodes: make([]forestNode, len(trees)), sorted: len(trees), extra: make(map[int64]int32)}
	for i, pos := range trees {
		off, err := p.idx.offset(int(pos))
		if err != nil {
			return nil, err
		}
		f.nodes[i] = forestNode{off: off, child: -1, next: -1, wanted: true}
	}
	slices.SortFunc(f.nodes, func(a, b forestNode) int { return int(a.off - b.off) })
	win := window{f: p.f, end: p.end()}
	for i := 0; i < len(f.nodes); i++ { //nolint:intrange // bases are added on the way
		off := f.nodes[i].off
		e, err := f.head(&win, i, off)
		if err != nil {
			return nil, err
		}
		if !isDelta(e.kind) {
			if e.kind != plumbing.TreeObject {
				return nil, p.corrupt(off, fmt.Errorf("%w: %s in the place of a tree", ErrType, e.kind))
			}
			f.roots = append(f.roots, int32(i))
			continue
		}
		at, err := p.baseOf(off, &e)
		if err != nil {
			return nil, err
		}
		base := f.node(at)
		f.nodes[i].next, f.nodes[base].child = f.nodes[base].child, int32(i)
	}
	return f, nil
}

// head reads the header of a node's entry. Those of the trees lie close to each
// other, those of other bases anywhere.
func (f *forest) head(win *window, i int, off int64) (entryHead, error) {
	if i >= f.sorted || off < packHead || off >= f.p.end() {
		return f.p.head(off)
	}
	raw, err := win.at(off, int(min(maxEntryHead, f.p.end()-off)))
	if err != nil {
		return entryHead{}, f.p.corrupt(off, err)
	}
	e, err := readEntryHead(bytes.NewReader(raw), off)
	if err != nil {
		return e, f.p.corrupt(off, err)
	}
	return e, nil
}

// node is the number of the node at an offset, which is added if there is none.
func (f *forest) node(off int64) int32 {
	i := sort.Search(f.sorted, func(i int) bool { return f.nodes[i].off >= off })
	if i < f.sorted && f.nodes[i].off == off {
		return int32(i)
	}
	n, ok := f.extra[off]
	if !ok {
		n = int32(len(f.nodes))
		f.nodes = append(f.nodes, forestNode{off: off, child: -1, next: -1})
		f.extra[off] = n
	}
	return n
}
