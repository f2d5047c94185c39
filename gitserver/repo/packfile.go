package repo

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
)

// A packFile is a pack with its index. Files once opened stay readable after
// `git gc` has removed them.
type packFile struct {
	name string // of the .idx, without directory
	idx  *idx
	f    *os.File
	size int64

	revOnce sync.Once
	rev     []uint32 // positions in the index, by offset
	revErr  error
}

const packHead = 12

// openPack opens the pack that belongs to the index at path.
func openPack(path string) (*packFile, error) {
	x, err := openIdx(path)
	if err != nil {
		return nil, err
	}
	p := &packFile{name: path[strings.LastIndexByte(path, '/')+1:], idx: x}
	if err := p.open(strings.TrimSuffix(path, ".idx") + ".pack"); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func (p *packFile) open(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	p.f = f
	st, err := f.Stat()
	if err != nil {
		return err
	}
	p.size = st.Size()
	var head [packHead]byte
	var sum [hashSize]byte
	if p.size < packHead+hashSize {
		return fmt.Errorf("%w: %s is too short", ErrCorrupt, path)
	}
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return err
	}
	if _, err := f.ReadAt(sum[:], p.size-hashSize); err != nil {
		return err
	}
	n, err := parsePackHead(head[:])
	if err != nil || int64(n) != int64(p.idx.n) || !bytes.Equal(sum[:], p.idx.packSum()) {
		return fmt.Errorf("%w: %s does not belong to its index", ErrCorrupt, path)
	}
	return nil
}

func (p *packFile) close() error {
	var err error
	if p.f != nil {
		err = p.f.Close()
	}
	return errors.Join(err, p.idx.close())
}

// parsePackHead checks the header of a pack and returns the number of entries.
func parsePackHead(b []byte) (uint32, error) {
	switch v := binary.BigEndian.Uint32(b[4:]); {
	case string(b[:4]) != "PACK":
		return 0, fmt.Errorf("%w: no pack signature", ErrBadPack)
	case v != 2 && v != 3:
		return 0, fmt.Errorf("%w: version %d is not supported", ErrBadPack, v)
	}
	return binary.BigEndian.Uint32(b[8:]), nil
}

// end is where the pack's trailer begins.
func (p *packFile) end() int64 { return p.size - hashSize }

func (p *packFile) corrupt(off int64, err error) error {
	return fmt.Errorf("%w: %s at %d: %w", ErrCorrupt, p.f.Name(), off, err)
}

func (p *packFile) head(off int64) (entryHead, error) {
	var buf [maxEntryHead]byte
	if off < packHead || off >= p.end() {
		return entryHead{}, p.corrupt(off, errors.New("offset out of bounds"))
	}
	n, err := p.f.ReadAt(buf[:], off)
	if n == 0 {
		return entryHead{}, p.corrupt(off, noEOF(err))
	}
	e, err := readEntryHead(bytes.NewReader(buf[:n]), off)
	if err != nil {
		return e, p.corrupt(off, err)
	}
	return e, nil
}

// baseOf is the offset of a delta's base.
func (p *packFile) baseOf(off int64, e *entryHead) (int64, error) {
	if e.kind == plumbing.OFSDeltaObject {
		return e.base, nil
	}
	pos, ok := p.idx.find(e.ref)
	if !ok {
		return 0, p.corrupt(off, fmt.Errorf("base %s is not in the pack", e.ref))
	}
	return p.idx.offset(pos)
}

// maxChain stops at cycles in a damaged pack.
const maxChain = 1 << 16

// kind is the type of the object at off, found at the end of its delta chain.
func (p *packFile) kind(off int64) (ObjectType, error) {
	start := off
	for range maxChain {
		e, err := p.head(off)
		if err != nil {
			return 0, err
		}
		if !isDelta(e.kind) {
			return e.kind, nil
		}
		if off, err = p.baseOf(off, &e); err != nil {
			return 0, err
		}
	}
	return 0, p.corrupt(start, errors.New("delta chain does not end"))
}

// sizeOf is the inflated size of the object at off.
func (p *packFile) sizeOf(off int64, e *entryHead) (int64, error) {
	if !isDelta(e.kind) {
		return e.size, nil
	}
	var head [20]byte
	n := 0
	r, done, err := p.inflate(off + int64(e.len))
	if err != nil {
		return 0, p.corrupt(off, err)
	}
	defer done()
	if n, err = io.ReadFull(r, head[:min(e.size, int64(len(head)))]); err != nil {
		return 0, p.corrupt(off, err)
	}
	_, size, _, err := deltaSizes(head[:n])
	if err != nil {
		return 0, p.corrupt(off, err)
	}
	return size, nil
}

// inflate reads the zlib stream at off; done gives the reader back.
func (p *packFile) inflate(off int64) (io.Reader, func(), error) {
	z := inflaters.Get().(*inflater)
	br := bufReaders.Get().(*bufio.Reader)
	br.Reset(io.NewSectionReader(p.f, off, p.end()-off))
	done := func() {
		inflaters.Put(z)
		bufReaders.Put(br)
	}
	if err := z.reset(br); err != nil {
		done()
		return nil, nil, err
	}
	return z.zr, done, nil
}

// An entryReader reads entries whose length on disk is unknown.
type entryReader struct {
	br  *bufio.Reader
	z   inflater
	sec io.SectionReader
}

var entryReaders = sync.Pool{New: func() any {
	return &entryReader{br: bufio.NewReaderSize(nil, 4<<10)}
}}

// open reads the header of the entry at off.
func (r *entryReader) open(p *packFile, off int64) (entryHead, error) {
	if off < packHead || off >= p.end() {
		return entryHead{}, p.corrupt(off, errors.New("offset out of bounds"))
	}
	r.sec = *io.NewSectionReader(p.f, off, p.end()-off)
	r.br.Reset(&r.sec)
	e, err := readEntryHead(r.br, off)
	if err != nil {
		return e, p.corrupt(off, err)
	}
	return e, nil
}

// content inflates the entry that was opened: the object, or the delta.
func (r *entryReader) content(p *packFile, off int64, e *entryHead) ([]byte, error) {
	data := make([]byte, e.size)
	if err := r.z.fill(data, r.br); err != nil {
		return nil, p.corrupt(off, err)
	}
	return data, nil
}

// A chainLink is a delta on the way from an object to its undeltified base.
type chainLink struct {
	off  int64
	data []byte // nil if it has to be read again
}

// heldChain is how many bytes of deltas are kept on the way down.
const heldChain = 16 << 20

// object reads the object at off, through its delta chain. The result is shared
// with the cache and is not to be modified.
func (p *packFile) object(c *cache, off, limit int64) (ObjectType, []byte, error) {
	r := entryReaders.Get().(*entryReader)
	defer entryReaders.Put(r)
	var chain []chainLink
	var kind ObjectType
	var data []byte
	held := int64(0)
	for at := off; data == nil; {
		if o, ok := c.get(p, at); ok {
			kind, data = o.kind, o.data
			break
		}
		e, err := r.open(p, at)
		if err != nil {
			return 0, nil, err
		}
		if over(e.size, limit) {
			return 0, nil, fmt.Errorf("%w: object of %d bytes", ErrLimit, e.size)
		}
		b, err := r.content(p, at, &e)
		if err != nil {
			return 0, nil, err
		}
		if !isDelta(e.kind) {
			kind, data = e.kind, b
			if kind != plumbing.CommitObject || len(chain) > 0 { // a walk reads each commit once
				c.put(p, at, kind, data)
			}
			break
		}
		if len(chain) >= maxChain {
			return 0, nil, p.corrupt(off, errors.New("delta chain does not end"))
		}
		if held += e.size; held > heldChain {
			b = nil
		}
		chain = append(chain, chainLink{at, b})
		if at, err = p.baseOf(at, &e); err != nil {
			return 0, nil, err
		}
	}
	data, err := p.climb(r, c, chain, kind, data, limit)
	return kind, data, err
}

// climb applies a chain of deltas to its base, the last one first.
func (p *packFile) climb(r *entryReader, c *cache, chain []chainLink, kind ObjectType, data []byte, limit int64) ([]byte, error) {
	for i := len(chain) - 1; i >= 0; i-- {
		l := &chain[i]
		if l.data == nil {
			e, err := r.open(p, l.off)
			if err != nil {
				return nil, err
			}
			if l.data, err = r.content(p, l.off, &e); err != nil {
				return nil, err
			}
		}
		var err error
		if data, err = patch(data, l.data, limit); err != nil {
			return nil, p.corrupt(l.off, err)
		}
		l.data = nil
		c.put(p, l.off, kind, data)
	}
	return data, nil
}

// patch applies a delta to new memory.
func patch(base, delta []byte, limit int64) ([]byte, error) {
	_, size, _, err := deltaSizes(delta)
	if err != nil {
		return nil, err
	}
	if limit >= 0 && size > limit {
		return nil, fmt.Errorf("%w: object of %d bytes", ErrLimit, size)
	}
	dst := make([]byte, size)
	return dst, applyDelta(dst, base, delta)
}
