package repo

import (
	"encoding/binary"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
)

// marks are sets of objects, kept as bits by pack and position. An object that
// lies in several packs is always found in the same one.
type marks struct {
	o     *Objects
	packs []*markedPack
	loose map[Hash]uint8
	slots []Hash // objects that were marked lately
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
	m := &marks{o: o, loose: make(map[Hash]uint8), slots: make([]Hash, 64<<10)}
	o.db.refresh() //nolint:errcheck // what is missing later is refused then
	m.take()
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

func (m *marks) inPacks(h Hash) (spot, bool) {
	for i, p := range m.packs {
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
	_, size, err := m.o.Stat(h)
	return size, err
}

// entries calls f for every entry of a tree that is a tree or a blob.
func (m *marks) entries(h Hash, f func(h Hash, t ObjectType) error) error {
	data, err := m.read(h, plumbing.TreeObject)
	if err != nil {
		return err
	}
	for len(data) > 0 {
		e, rest, ok := nextTreeEntry(data)
		if !ok {
			return fmt.Errorf("%w: tree %s", ErrCorrupt, h)
		}
		data = rest
		if t, ours := e.linkType(); ours {
			if err := f(e.hash, t); err != nil {
				return err
			}
		}
	}
	return nil
}
