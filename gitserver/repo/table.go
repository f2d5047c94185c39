package repo

import "sort"

// An object is what is known of one entry of a pack that comes in.
type object struct {
	off   int64
	crc   uint32
	child int32 // first offset delta on this object, -1 if none
	next  int32 // next offset delta on the same base, -1 if none
	hash  Hash
	kind  ObjectType // as it lies in the pack
	typ   ObjectType // what it is; invalid until its delta is resolved
}

// A table holds a pack's objects by number. It grows without moving them, so
// that workers may fill in objects while more are being read.
type table struct {
	blocks [][]object
	n      int
}

const (
	blockBits = 10
	blockSize = 1 << blockBits
)

func (t *table) at(i int32) *object { return &t.blocks[i>>blockBits][i&(blockSize-1)] }

func (t *table) add(off int64) *object {
	if t.n == len(t.blocks)*blockSize {
		t.blocks = append(t.blocks, make([]object, blockSize))
	}
	o := t.at(int32(t.n))
	t.n++
	o.off, o.child, o.next = off, -1, -1
	return o
}

// find is the number of the object whose entry begins at off.
func (t *table) find(off int64) (int32, bool) {
	i := sort.Search(t.n, func(i int) bool { return t.at(int32(i)).off >= off })
	if i == t.n || t.at(int32(i)).off != off {
		return 0, false
	}
	return int32(i), true
}

// A refDelta is a delta whose base is known by name.
type refDelta struct {
	base Hash
	obj  int32
}
