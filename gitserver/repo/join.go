package repo

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
)

// A join writes the objects of several packs, and loose ones, into one. Each
// object is taken from the first of the packs that has it. So the base of a
// delta comes out of the same pack as the delta or out of an earlier one, and
// deltas of different packs cannot lead to each other in a circle.
type join struct {
	ctx   context.Context //nolint:containedctx // lives as long as one call of join.run
	r     *Repo
	packs []*packFile
	loose []looseInfo
	stays func(Hash) (bool, error) // objects that are left out, if set
	pace  *pacer

	members []member  // by name
	number  [][]int32 // of a pack's objects in members, -1 if left out
	out     joinWriter
	win     window
	cache   *cache
}

// A member is one object of the new pack.
type member struct {
	off   int64 // where it was written; 0 if it was not yet
	crc   uint32
	pack  int32 // where it comes from; len(packs) stands for loose
	pos   int32 // in the index of that pack, or in loose
	seq   int32 // how many were written before it
	depth uint16
}

// A copyOf is one of the places where an object lies.
type copyOf struct {
	key       uint64 // how its name begins
	pack, pos int32
}

func (j *join) name(pack, pos int32) []byte {
	if int(pack) == len(j.packs) {
		return j.loose[pos].hash[:]
	}
	return j.packs[pack].idx.name(int(pos))
}

// choose fills in members.
func (j *join) choose() error {
	copies := j.copies()
	for i := 0; i < len(copies); {
		first := copies[i]
		name := j.name(first.pack, first.pos)
		next := i + 1
		for next < len(copies) && bytes.Equal(name, j.name(copies[next].pack, copies[next].pos)) {
			if c := copies[next]; c.pack == copies[next-1].pack {
				return fmt.Errorf("%w: %s holds object %x twice; run git repack -a -d", ErrCorrupt, j.packs[c.pack].f.Name(), name)
			}
			next++
		}
		g := int32(len(j.members))
		if j.stays != nil {
			ok, err := j.stays(Hash(name))
			if err != nil {
				return err
			}
			if !ok {
				g = -1
			}
		}
		if g >= 0 {
			j.members = append(j.members, member{pack: first.pack, pos: first.pos})
		}
		for _, c := range copies[i:next] {
			if int(c.pack) < len(j.packs) {
				j.number[c.pack][c.pos] = g
			}
		}
		i = next
	}
	return j.ctx.Err()
}

// copies lists all objects by name, and those of one name by pack.
func (j *join) copies() []copyOf {
	total := len(j.loose)
	j.number = make([][]int32, len(j.packs))
	for i, p := range j.packs {
		total += p.idx.n
		j.number[i] = make([]int32, p.idx.n)
	}
	copies := make([]copyOf, 0, total)
	add := func(pack, n int) {
		for pos := range n {
			c := copyOf{pack: int32(pack), pos: int32(pos)}
			c.key = binary.BigEndian.Uint64(j.name(c.pack, c.pos))
			copies = append(copies, c)
		}
	}
	for i, p := range j.packs {
		add(i, p.idx.n)
	}
	add(len(j.packs), len(j.loose))
	slices.SortFunc(copies, func(a, b copyOf) int {
		switch {
		case a.key < b.key:
			return -1
		case a.key > b.key:
			return 1
		}
		if c := bytes.Compare(j.name(a.pack, a.pos), j.name(b.pack, b.pos)); c != 0 {
			return c
		}
		return int(a.pack - b.pack)
	})
	j.members = make([]member, 0, total)
	return copies
}

// len and at make the members an index.
func (j *join) len() int { return len(j.members) }

func (j *join) at(i int) (h *Hash, crc uint32, off int64) {
	m := &j.members[i]
	return (*Hash)(j.name(m.pack, m.pos)), m.crc, m.off
}

// order is the numbers of the members in the pack, by name, as writeRev has it.
func (j *join) order() []int32 {
	order := make([]int32, len(j.members))
	for i := range j.members {
		order[i] = j.members[i].seq
	}
	return order
}
