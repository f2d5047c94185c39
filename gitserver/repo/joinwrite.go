package repo

import (
	"bufio"
	"bytes"
	"crypto/sha1" // the pack's own checksum, which is no protection
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"math"
	"os"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/klauspost/compress/zlib"
)

// maxJoinedDepth is how long a chain of deltas may get by a delta whose base
// comes from another pack, as C git's pack.depth. Without a bound, the chain
// would grow with each push that changes a file.
const maxJoinedDepth = 50

// A joinWriter writes a pack, and knows where it is and the checksum of the
// entry that it writes.
type joinWriter struct {
	w   *bufio.Writer
	sum hash.Hash
	at  int64
	crc uint32
	n   int32
	zw  *zlib.Writer
}

func (o *joinWriter) start(f *os.File) {
	o.sum = sha1.New()
	o.w = bufio.NewWriterSize(io.MultiWriter(f, o.sum), windowSize)
}

// Write takes a part of an entry.
func (o *joinWriter) Write(b []byte) (int, error) {
	o.crc = crc32.Update(o.crc, crc32.IEEETable, b)
	n, err := o.w.Write(b)
	o.at += int64(n)
	return n, err
}

// deflate begins the content of an entry.
func (o *joinWriter) deflate() *zlib.Writer {
	if o.zw == nil {
		o.zw = zlib.NewWriter(o)
	} else {
		o.zw.Reset(o)
	}
	return o.zw
}

// write writes the pack in one pass over the others and returns its checksum.
func (j *join) write(f *os.File) ([]byte, error) {
	j.out.start(f)
	head := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), uint32(len(j.members)))
	if _, err := j.out.Write(head); err != nil {
		return nil, err
	}
	for i := range j.packs {
		if err := j.pack(i); err != nil {
			return nil, err
		}
	}
	for i := range j.members {
		m := &j.members[i]
		if int(m.pack) < len(j.packs) {
			continue
		}
		j.begin(m)
		if err := j.looseEntry(&j.loose[m.pos]); err != nil {
			return nil, err
		}
		if err := j.finish(m); err != nil {
			return nil, err
		}
	}
	if err := j.out.w.Flush(); err != nil {
		return nil, err
	}
	sum := j.out.sum.Sum(nil)
	_, err := f.Write(sum)
	return sum, err
}

// pack copies what comes from one pack, in the order of offsets.
func (j *join) pack(i int) error {
	p := j.packs[i]
	order, err := p.order()
	if err != nil {
		return err
	}
	j.win = window{f: p.f, end: p.end(), buf: j.win.buf}
	for k, pos := range order {
		off, err := p.idx.offset(int(pos))
		if err != nil {
			return err
		}
		end := p.end()
		if k+1 < len(order) {
			if end, err = p.idx.offset(int(order[k+1])); err != nil {
				return err
			}
		}
		g := j.number[i][pos]
		if g < 0 || j.members[g].pack != int32(i) {
			continue
		}
		if off < packHead || end <= off || end > p.end() {
			return p.corrupt(off, errors.New("entry does not end in the pack"))
		}
		m := &j.members[g]
		j.begin(m)
		if err := j.entry(i, m, off, end); err != nil {
			return err
		}
		if err := j.finish(m); err != nil {
			return err
		}
	}
	return nil
}

func (j *join) begin(m *member) {
	m.off, m.seq, j.out.crc = j.out.at, j.out.n, 0
	j.out.n++
}

func (j *join) finish(m *member) error {
	m.crc = j.out.crc
	return j.pace.add(j.ctx, j.out.at-m.off)
}

// entry copies one entry as it lies, but for how it names its base.
func (j *join) entry(i int, m *member, off, end int64) error {
	p := j.packs[i]
	raw, err := j.win.at(off, int(min(maxEntryHead, p.end()-off)))
	if err != nil {
		return p.corrupt(off, err)
	}
	e, err := readEntryHead(bytes.NewReader(raw), off)
	if err != nil {
		return p.corrupt(off, err)
	}
	if !isDelta(e.kind) {
		return j.copy(p, int(m.pos), off, end, appendEntryHead(nil, e.kind, e.size), e.len)
	}
	head, err := j.deltaHead(i, m, &e, off)
	if err != nil {
		return err
	}
	if head == nil {
		return j.whole(p, off)
	}
	return j.copy(p, int(m.pos), off, end, head, e.len)
}

// deltaHead is the header of a delta; nil if it is better stored whole, or has
// to be, as its base is left out.
func (j *join) deltaHead(i int, m *member, e *entryHead, off int64) ([]byte, error) {
	p := j.packs[i]
	pos, err := p.basePos(off, e)
	if err != nil {
		return nil, err
	}
	g := j.number[i][pos]
	if g < 0 {
		return nil, nil
	}
	b := &j.members[g]
	if b.pack != int32(i) && b.depth >= maxJoinedDepth {
		size, err := p.sizeOf(off, e)
		if err != nil {
			return nil, err
		}
		if !over(size, j.r.o.MaxHeldSize) {
			return nil, nil
		}
	}
	m.depth = min(b.depth, math.MaxUint16-1) + 1
	if b.off == 0 { // it follows later
		return append(appendEntryHead(nil, plumbing.REFDeltaObject, e.size), j.name(b.pack, b.pos)...), nil
	}
	return appendOffset(appendEntryHead(nil, plumbing.OFSDeltaObject, e.size), m.off-b.off), nil
}

// basePos is the position of a delta's base in the index.
func (p *packFile) basePos(off int64, e *entryHead) (int, error) {
	if e.kind == plumbing.OFSDeltaObject {
		i, err := p.rank(e.base)
		if err != nil {
			return 0, err
		}
		return int(p.rev[i]), nil
	}
	pos, ok := p.idx.find(e.ref)
	if !ok {
		return 0, p.corrupt(off, fmt.Errorf("base %s is not in the pack", e.ref))
	}
	return pos, nil
}

// copy copies the entry from off to end with another header, and checks what
// lies there.
func (j *join) copy(p *packFile, pos int, off, end int64, head []byte, skip int) error {
	if _, err := j.out.Write(head); err != nil {
		return err
	}
	crc := uint32(0)
	for at := off; at < end; {
		b, err := j.win.at(at, int(min(end-at, windowSize)))
		if err != nil {
			return p.corrupt(at, err)
		}
		crc = crc32.Update(crc, crc32.IEEETable, b)
		at += int64(len(b))
		cut := min(skip, len(b))
		skip -= cut
		if _, err := j.out.Write(b[cut:]); err != nil {
			return err
		}
	}
	if crc != p.idx.crc(pos) {
		return p.corrupt(off, errors.New("checksum of entry does not match"))
	}
	return nil
}

// whole writes the object at off without a base.
func (j *join) whole(p *packFile, off int64) error {
	kind, data, err := p.object(j.cache, off, j.r.o.MaxObjectSize)
	if err != nil {
		return err
	}
	if _, err := j.out.Write(appendEntryHead(nil, kind, int64(len(data)))); err != nil {
		return err
	}
	zw := j.out.deflate()
	if _, err := zw.Write(data); err != nil {
		return err
	}
	return zw.Close()
}
