package repo

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync/atomic"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/inflate"
)

// A treeWorker puts the trees of a forest together and marks what they link to.
type treeWorker struct {
	t      *treeMarker
	f      *forest
	in     entryWindow
	delta  []byte
	stack  []treeFrame
	held   int64
	scraps scraps
	slots  []linkSlot
	found  []packSpot          // trees that were marked, and have to be read
	strays map[Hash]ObjectType // objects outside of the packs, to be marked
	made   int                 // nodes of the forest
	told   int                 // of these, those that are not counted yet
}

// A treeFrame is a node on the way from the root to the current one.
type treeFrame struct {
	node, child int32
	data        []byte // nil if dropped
}

type packSpot struct{ pack, pos uint32 }

// A linkSlot holds an object that was marked lately. Trees repeat most of each
// other's links.
type linkSlot struct {
	a, b uint64
	c    uint32
}

// treeBudget is what a worker keeps of trees on the way down.
const treeBudget = 4 << 20

func newTreeWorker(t *treeMarker) *treeWorker {
	return &treeWorker{t: t, slots: make([]linkSlot, len(t.m.slots)), strays: make(map[Hash]ObjectType)}
}

// work takes roots of a forest until none is left.
func (w *treeWorker) work(f *forest, next *atomic.Int64) error {
	w.f, w.made = f, 0
	w.in.use(f.p)
	for {
		i := int(next.Add(1) - 1)
		if i >= len(f.roots) {
			return w.flush()
		}
		if err := w.grow(f.roots[i]); err != nil {
			return err
		}
	}
}

// flush counts the trees that were made.
func (w *treeWorker) flush() error {
	n := w.told
	w.told = 0
	return w.t.count(n)
}

// grow makes all trees below a root of the forest.
func (w *treeWorker) grow(root int32) error {
	data, err := w.inflate(&w.f.nodes[root], nil)
	if err != nil {
		return err
	}
	if err := w.take(root, data); err != nil {
		return err
	}
	for len(w.stack) > 0 {
		f := &w.stack[len(w.stack)-1]
		if f.child < 0 {
			w.drop(f)
			w.stack = w.stack[:len(w.stack)-1]
			continue
		}
		c := f.child
		f.child = w.f.nodes[c].next
		if data, err = w.patch(f, c); err != nil {
			return err
		}
		if f.child < 0 {
			w.drop(f)
		}
		if err := w.take(c, data); err != nil {
			return err
		}
	}
	return nil
}

// take looks at a tree and keeps it if there are deltas on it.
func (w *treeWorker) take(number int32, data []byte) error {
	n := &w.f.nodes[number]
	if err := w.look(n, data); err != nil {
		return err
	}
	if n.child < 0 {
		w.scraps.release(data, treeBudget-w.held)
		return nil
	}
	w.stack = append(w.stack, treeFrame{node: number, child: n.child, data: data})
	w.held += int64(cap(data))
	for i := 0; w.held > treeBudget && i < len(w.stack)-1; i++ {
		w.drop(&w.stack[i])
	}
	return nil
}

// look marks what a tree links to, if that is wanted.
func (w *treeWorker) look(n *forestNode, data []byte) error {
	if n.wanted {
		if err := w.scan(data); err != nil {
			return w.f.p.corrupt(n.off, err)
		}
	}
	const often = 64
	w.made++
	if w.told++; w.told < often {
		return nil
	}
	return w.flush()
}

func (w *treeWorker) drop(f *treeFrame) {
	if f.data != nil {
		w.held -= int64(cap(f.data))
		w.scraps.release(f.data, treeBudget-w.held)
		f.data = nil
	}
}

// patch makes the tree of a delta on f.
func (w *treeWorker) patch(f *treeFrame, number int32) ([]byte, error) {
	n := &w.f.nodes[number]
	base := f.data
	if base == nil { // dropped
		db := w.t.m.o.db
		kind, data, err := w.f.p.object(db.cache, w.f.nodes[f.node].off, db.limit)
		if err != nil {
			return nil, err
		}
		if kind != plumbing.TreeObject {
			return nil, w.f.p.corrupt(n.off, ErrType)
		}
		base = data
	}
	delta, err := w.inflate(n, w.delta)
	if err != nil {
		return nil, err
	}
	w.delta = delta
	_, size, _, err := deltaSizes(delta)
	if err != nil {
		return nil, w.f.p.corrupt(n.off, err)
	}
	if err := w.small(size); err != nil {
		return nil, err
	}
	dst := w.scraps.alloc(int(size))
	if err := applyDelta(dst, base, delta); err != nil {
		return nil, w.f.p.corrupt(n.off, err)
	}
	if cap(w.delta) > maxSpare {
		w.delta = nil
	}
	return dst, nil
}

// inflate reads the content of a node's entry into buf, or into new memory.
func (w *treeWorker) inflate(n *forestNode, buf []byte) ([]byte, error) {
	e, err := w.in.head(n.off)
	if err != nil {
		return nil, err
	}
	if err := w.small(e.size); err != nil {
		return nil, err
	}
	if int64(cap(buf)) < e.size+inflate.Slack {
		buf = w.scraps.alloc(int(e.size))
	}
	buf = buf[:e.size]
	return buf, w.in.content(buf, n.off, &e)
}

// small refuses what must not be held in memory.
func (w *treeWorker) small(size int64) error {
	if over(size, w.t.m.o.db.limit) {
		return fmt.Errorf("%w: object of %d bytes", ErrLimit, size)
	}
	return nil
}

// scan marks what a tree links to.
func (w *treeWorker) scan(data []byte) error {
	mask := uint64(len(w.slots) - 1)
	for len(data) > 0 {
		n := bytes.IndexByte(data, 0) + 1 // mode, space and name
		if n <= len("40000 ") || len(data) < n+hashSize {
			return fmt.Errorf("%w: malformed tree", ErrCorrupt)
		}
		h := data[n : n+hashSize]
		a, b, c := binary.LittleEndian.Uint64(h), binary.LittleEndian.Uint64(h[8:]), binary.LittleEndian.Uint32(h[16:])
		s := &w.slots[a&mask]
		if s.a != a || s.b != b || s.c != c {
			if t, ours := linkTypeOf(data); ours && (t != plumbing.BlobObject || w.t.blobs) {
				w.link((*Hash)(h), t)
				*s = linkSlot{a, b, c}
			}
		}
		data = data[n+hashSize:]
	}
	return nil
}

// link marks an object.
func (w *treeWorker) link(h *Hash, t ObjectType) {
	s, ok := findIn(w.t.packs, *h)
	if !ok {
		w.strays[*h] = t
		return
	}
	if w.t.packs[s.pack].setShared(s.pos, w.t.mark) && t == plumbing.TreeObject {
		w.found = append(w.found, packSpot{uint32(s.pack), uint32(s.pos)})
	}
}

// setShared marks an object while others mark, too, with the same mark, and
// says whether it was not marked at all before.
func (p *markedPack) setShared(pos int, mark uint8) bool {
	i, bit := pos/64, uint64(1)<<(pos%64)
	for k := range p.bits {
		if uint8(k) != mark && p.bits[k][i]&bit != 0 {
			return false
		}
	}
	if atomic.LoadUint64(&p.bits[mark][i])&bit != 0 {
		return false
	}
	return atomic.OrUint64(&p.bits[mark][i], bit)&bit == 0
}
