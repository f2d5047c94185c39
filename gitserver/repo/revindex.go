package repo

import (
	"cmp"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"sort"
	"strings"
)

// order is the pack's objects, as positions in the index, by offset. It is
// read from the .rev file, or made if there is none.
func (p *packFile) order() ([]uint32, error) {
	p.revOnce.Do(func() {
		if p.rev = p.readRev(); p.rev == nil {
			p.rev, p.revErr = p.makeRev()
		}
	})
	return p.rev, p.revErr
}

const (
	revHead  = 12
	revMagic = "RIDX\x00\x00\x00\x01\x00\x00\x00\x01"
)

// readRev reads the reverse index if there is a usable one.
func (p *packFile) readRev() []uint32 {
	data, err := os.ReadFile(strings.TrimSuffix(p.f.Name(), ".pack") + ".rev")
	n := p.idx.n
	if err != nil || len(data) != revHead+4*n+2*hashSize || string(data[:revHead]) != revMagic ||
		string(data[revHead+4*n:][:hashSize]) != string(p.idx.packSum()) {
		return nil
	}
	order := make([]uint32, n)
	last := int64(0)
	for i := range order {
		pos := binary.BigEndian.Uint32(data[revHead+4*i:])
		if int64(pos) >= int64(n) {
			return nil
		}
		off, err := p.idx.offset(int(pos))
		if err != nil || off <= last {
			return nil
		}
		order[i], last = pos, off
	}
	return order
}

func (p *packFile) makeRev() ([]uint32, error) {
	type entry struct {
		off int64
		pos uint32
	}
	list := make([]entry, p.idx.n)
	for i := range list {
		off, err := p.idx.offset(i)
		if err != nil {
			return nil, err
		}
		list[i] = entry{off, uint32(i)}
	}
	slices.SortFunc(list, func(a, b entry) int {
		if a.off < b.off {
			return -1
		}
		return 1
	})
	order := make([]uint32, len(list))
	for i, e := range list {
		order[i] = e.pos
	}
	return order, nil
}

// span is the position of the object at off, and where its entry ends.
func (p *packFile) span(off int64) (pos int, end int64, err error) {
	i, err := p.rank(off)
	if err != nil {
		return 0, 0, err
	}
	end = p.end()
	if i+1 < len(p.rev) {
		if end, err = p.idx.offset(int(p.rev[i+1])); err != nil {
			return 0, 0, err
		}
	}
	if end <= off || end > p.end() {
		return 0, 0, p.corrupt(off, errors.New("entry does not end in the pack"))
	}
	return int(p.rev[i]), end, nil
}

// rank is the number of entries before the one at off.
func (p *packFile) rank(off int64) (int, error) {
	order, err := p.order()
	if err != nil {
		return 0, err
	}
	i := sort.Search(len(order), func(i int) bool {
		o, oerr := p.idx.offset(int(order[i]))
		if oerr != nil {
			err = oerr
		}
		return o >= off
	})
	if err != nil || i == len(order) {
		return 0, cmp.Or(err, p.corrupt(off, errors.New("no entry begins here")))
	}
	if o, err := p.idx.offset(int(order[i])); err != nil || o != off {
		return 0, cmp.Or(err, p.corrupt(off, errors.New("no entry begins here")))
	}
	return i, nil
}
