package repo

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/inflate"
)

// marks are sets of objects, kept as bits by pack and position. An object that
// lies in several packs is always found in the same one.
type marks struct {
	o     *Objects
	packs []*markedPack
	first int // of packs, which were there before any object was found to be loose
	loose map[Hash]uint8
	slots []Hash // objects that were marked lately
	in    entryWindow
	buf   []byte // the last commit
}

const (
	markWanted uint8 = iota // to be sent
	markHad                 // the reader has it
	markPassed              // seen, but kept back by a filter
	markKinds
)

type markedPack struct {
	p    *packFile
	bits [markKinds][]uint64
}

func newMarks(o *Objects) *marks {
	m := &marks{o: o, loose: make(map[Hash]uint8)}
	o.db.refresh() //nolint:errcheck // what is missing later is refused then
	m.take()
	objects, slots := 0, 256
	for _, p := range m.packs {
		objects += p.p.idx.n
	}
	for slots < 64<<10 && slots < objects {
		slots *= 2
	}
	m.slots = make([]Hash, slots)
	m.first = len(m.packs)
	return m
}

// take adds the packs that are not known yet, behind those that are.
func (m *marks) take() {
	m.o.db.mu.RLock()
	defer m.o.db.mu.RUnlock()
	known := make(map[*packFile]bool, len(m.packs))
	for _, p := range m.packs {
		known[p.p] = true
	}
	for _, p := range m.o.db.packs {
		if !known[p] {
			q := &markedPack{p: p}
			for i := range q.bits {
				q.bits[i] = make([]uint64, (p.idx.n+63)/64)
			}
			m.packs = append(m.packs, q)
		}
	}
}

// A spot is where marks finds an object: a pack's number, -1 for a loose one.
type spot struct{ pack, pos int }

func (m *marks) find(h Hash) (spot, bool, error) {
	if s, ok := m.inPacks(h); ok {
		return s, true, nil
	}
	pl, ok, err := m.o.find(h)
	if !ok || err != nil {
		return spot{}, false, err
	}
	if !pl.loose() {
		m.take()
		if s, ok := m.inPacks(h); ok {
			return s, true, nil
		}
	}
	return spot{pack: -1}, true, nil
}

func (m *marks) inPacks(h Hash) (spot, bool) { return findIn(m.packs, h) }

func findIn(packs []*markedPack, h Hash) (spot, bool) {
	for i, p := range packs {
		if pos, ok := p.p.idx.find(h); ok {
			return spot{i, pos}, true
		}
	}
	return spot{}, false
}

// set marks an object and says whether it was not marked at all before.
func (m *marks) set(h Hash, mark uint8) (bool, error) {
	slot := &m.slots[binary.LittleEndian.Uint32(h[:])&uint32(len(m.slots)-1)]
	if *slot == h {
		return false, nil
	}
	s, ok, err := m.find(h)
	if err != nil {
		return false, err
	}
	if !ok {
		return false, fmt.Errorf("object %s: %w", h, ErrNotFound)
	}
	*slot = h
	// What was loose when it was marked may have been packed meanwhile.
	if _, old := m.loose[h]; old {
		return false, nil
	}
	if s.pack < 0 {
		m.loose[h] = mark
		return true, nil
	}
	p := m.packs[s.pack]
	w, bit := s.pos/64, uint64(1)<<(s.pos%64)
	if (p.bits[markWanted][w]|p.bits[markHad][w]|p.bits[markPassed][w])&bit != 0 {
		return false, nil
	}
	p.bits[mark][w] |= bit
	return true, nil
}

// has says whether an object carries a mark.
func (m *marks) has(h Hash, mark uint8) (bool, error) {
	if v, ok := m.loose[h]; ok {
		return v == mark, nil
	}
	s, ok, err := m.find(h)
	if err != nil || !ok || s.pack < 0 {
		return false, err
	}
	return m.packs[s.pack].bits[mark][s.pos/64]&(1<<(s.pos%64)) != 0, nil
}

// read reads an object from where marks finds it.
func (m *marks) read(h Hash, t ObjectType) ([]byte, error) {
	s, ok := m.inPacks(h)
	if !ok {
		return m.o.typed(h, t)
	}
	p := m.packs[s.pack].p
	off, err := p.idx.offset(s.pos)
	if err != nil {
		return nil, err
	}
	kind, data, err := p.object(m.o.db.cache, off, m.o.db.limit)
	if err == nil && kind != t {
		err = fmt.Errorf("%w: %s is a %s, not a %s", ErrType, h, kind, t)
	}
	return data, err
}

// commit reads a commit. The bytes are good until the next call. Commits are
// many, and few are deltas: keeping them would only drive out what is worth it.
func (m *marks) commit(h Hash) ([]byte, error) {
	s, ok := m.inPacks(h)
	if !ok {
		return m.o.typed(h, plumbing.CommitObject)
	}
	p := m.packs[s.pack].p
	off, err := p.idx.offset(s.pos)
	if err != nil {
		return nil, err
	}
	m.in.use(p)
	e, err := m.in.head(off)
	if err != nil {
		return nil, err
	}
	if e.kind != plumbing.CommitObject || over(e.size, maxSpare) {
		return m.read(h, plumbing.CommitObject)
	}
	if int64(cap(m.buf)) < e.size+inflate.Slack {
		m.buf = make([]byte, 2*e.size+inflate.Slack)
	}
	m.buf = m.buf[:e.size]
	return m.buf, m.in.content(m.buf, off, &e)
}

// release turns an object that was kept back into a wanted one.
func (m *marks) release(h Hash) error {
	if _, ok := m.loose[h]; ok {
		m.loose[h] = markWanted
		return nil
	}
	s, ok, err := m.find(h)
	if err != nil || !ok || s.pack < 0 {
		return err
	}
	p, bit := m.packs[s.pack], uint64(1)<<(s.pos%64)
	p.bits[markPassed][s.pos/64] &^= bit
	p.bits[markWanted][s.pos/64] |= bit
	return nil
}

// size is the inflated size of an object.
func (m *marks) size(h Hash) (int64, error) {
	s, ok := m.inPacks(h)
	if !ok {
		_, size, err := m.o.Stat(h)
		return size, err
	}
	p := m.packs[s.pack].p
	off, err := p.idx.offset(s.pos)
	if err != nil {
		return 0, err
	}
	e, err := p.head(off)
	if err != nil {
		return 0, err
	}
	return p.sizeOf(off, &e)
}

// lately says whether an object is known to be marked, without looking it up.
func (m *marks) lately(h *Hash) bool {
	return m.slots[binary.LittleEndian.Uint32(h[:])&uint32(len(m.slots)-1)] == *h
}

// entries calls f for the entries of a tree that are trees, or blobs if these
// matter, except for some that are marked already: trees repeat most of each
// other's.
func (m *marks) entries(h Hash, blobs bool, f func(h Hash, t ObjectType) error) error {
	data, err := m.read(h, plumbing.TreeObject)
	if err != nil {
		return err
	}
	for len(data) > 0 {
		n := bytes.IndexByte(data, 0) + 1 // mode, space and name
		if n <= len("40000 ") || len(data) < n+hashSize {
			return fmt.Errorf("%w: tree %s", ErrCorrupt, h)
		}
		t, ours := linkTypeOf(data)
		to := (*Hash)(data[n:])
		data = data[n+hashSize:]
		if !ours || t == plumbing.BlobObject && !blobs || m.lately(to) {
			continue
		}
		if err := f(*to, t); err != nil {
			return err
		}
	}
	return nil
}

// linkTypeOf is the linkType of the tree entry that b begins with, found by its
// first digits: a walk sees a hundred times more entries than objects.
func linkTypeOf(b []byte) (ObjectType, bool) {
	switch {
	case b[0] == '4': // 40000
		return plumbing.TreeObject, true
	case b[0] == '1' && b[1] == '6': // 160000
		return 0, false
	case b[0] == '0': // zero-padded, by some old tool
		e, _, _ := nextTreeEntry(b)
		return e.linkType()
	}
	return plumbing.BlobObject, true
}
