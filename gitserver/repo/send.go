package repo

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1" // the pack's own checksum, which is no protection
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"math/bits"
	"os"
	"sort"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/klauspost/compress/zlib"
)

// WritePack writes a pack of everything that is reachable from wants and not
// from haves. Haves that are not in the repository are ignored. Entries are
// copied as they lie on disk where the base of a delta is sent, too.
func (r *Repo) WritePack(ctx context.Context, w io.Writer, wants, haves []Hash, o PackOptions) error {
	m := newMarks(&r.Objects)
	o.Thin = o.Thin && o.Filter.keepsBases()
	s := &sender{ctx: ctx, r: r, m: m, o: o, sum: sha1.New()}
	if err := s.count(wants, haves); err != nil {
		return fmt.Errorf("find objects to send: %w", err)
	}
	s.w = bufio.NewWriterSize(io.MultiWriter(w, s.sum), 64<<10)
	if err := s.write(w); err != nil {
		return fmt.Errorf("write pack: %w", err)
	}
	return nil
}

// A sender writes one pack.
type sender struct {
	ctx   context.Context //nolint:containedctx // lives as long as one call of WritePack
	r     *Repo
	m     *marks
	o     PackOptions
	sum   hash.Hash
	w     *bufio.Writer
	at    int64 // bytes written
	head  [maxEntryHead]byte
	done  int
	total int
	win   window
	raw   bytes.Reader
	zw    *zlib.Writer
}

// A sent object of a pack is where its entry begins there and here.
type sent struct{ off, out int64 }

// An extent is where an entry lies in its pack, and its object's position in
// the index.
type extent struct {
	off, end int64
	pos      int
}

func (s *sender) count(wants, haves []Hash) error {
	s.progress(StageCounting, 0, 0) // a sign of life, before commits are walked
	w := newWalk(s.ctx, s.m)
	w.filter, w.workers, w.count = s.o.Filter, s.r.o.Workers, s.counter()
	w.shallow(s.o.Shallow)
	for _, h := range haves {
		if err := w.have(h); err != nil {
			return err
		}
	}
	for _, h := range wants {
		if err := w.root(h, false); err != nil {
			return err
		}
	}
	if err := w.run(); err != nil {
		return err
	}
	if err := w.mark(); err != nil {
		return err
	}
	if s.o.IncludeTag {
		return s.addTags()
	}
	return nil
}

// counter counts the objects that the walk finds.
func (s *sender) counter() func() {
	n := 0
	return func() {
		if n&1023 == 0 {
			s.progress(StageCounting, n, 0)
		}
		n++
	}
}

// addTags adds annotated tags of objects that are sent.
func (s *sender) addTags() error {
	refs, err := s.r.Refs()
	if err != nil {
		return err
	}
	for _, ref := range refs {
		if !strings.HasPrefix(ref.Name, "refs/tags/") || s.o.HiddenTag != nil && s.o.HiddenTag(ref.Name) {
			continue
		}
		var tags []Hash
		h := ref.Hash
		for range maxTags {
			kind, err := s.m.o.Type(h)
			if err != nil || kind != plumbing.TagObject {
				break // a reference to nothing is not the reader's trouble
			}
			tags = append(tags, h)
			if h, err = s.m.tagTarget(h); err != nil {
				return err
			}
		}
		ok, err := s.m.has(h, markWanted)
		if err != nil {
			return err
		}
		for i := 0; ok && i < len(tags); i++ {
			if _, err := s.m.set(tags[i], markWanted); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *sender) progress(stage Stage, done, total int) {
	if s.o.Progress != nil {
		s.o.Progress(Progress{Stage: stage, Done: done, Total: total, Bytes: s.at})
	}
}

func (s *sender) write(out io.Writer) error {
	for _, v := range s.m.loose {
		if v == markWanted {
			s.total++
		}
	}
	for _, p := range s.m.packs {
		for _, w := range p.bits[markWanted] {
			s.total += bits.OnesCount64(w)
		}
	}
	head := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), uint32(s.total))
	if err := s.put(head); err != nil {
		return err
	}
	for _, p := range s.m.packs {
		if err := s.pack(p); err != nil {
			return err
		}
	}
	for h, v := range s.m.loose {
		if v != markWanted {
			continue
		}
		if err := s.whole(h); err != nil {
			return err
		}
	}
	s.progress(StageWriting, s.done, s.total)
	if err := s.w.Flush(); err != nil {
		return err
	}
	_, err := out.Write(s.sum.Sum(nil))
	return err
}

func (s *sender) put(b []byte) error {
	n, err := s.w.Write(b)
	s.at += int64(n)
	return err
}

func (s *sender) step() error {
	if s.done&1023 == 0 {
		s.progress(StageWriting, s.done, s.total)
	}
	s.done++
	return s.ctx.Err()
}

// pack sends the wanted objects of a pack in the order of their offsets, so
// that bases come before deltas.
func (s *sender) pack(p *markedPack) error {
	n := 0
	for _, w := range p.bits[markWanted] {
		n += bits.OnesCount64(w)
	}
	if n == 0 {
		return nil
	}
	order, err := p.p.order()
	if err != nil {
		return err
	}
	list := make([]sent, 0, n)
	s.win = window{f: p.p.f, end: p.p.end(), buf: s.win.buf}
	for i, pos := range order {
		if p.bits[markWanted][pos/64]&(1<<(pos%64)) == 0 {
			continue
		}
		off, err := p.p.idx.offset(int(pos))
		if err != nil {
			return err
		}
		end := p.p.end()
		if i+1 < len(order) {
			if end, err = p.p.idx.offset(int(order[i+1])); err != nil {
				return err
			}
		}
		if err := s.step(); err != nil {
			return err
		}
		list = append(list, sent{off, s.at})
		if err := s.entry(p.p, list, extent{off, end, int(pos)}); err != nil {
			return err
		}
	}
	return nil
}

// entry sends the last entry of list, as it is if possible.
func (s *sender) entry(p *packFile, list []sent, x extent) error {
	off := x.off
	if off < packHead || x.end <= off || x.end > p.end() {
		return p.corrupt(off, errors.New("entry does not end in the pack"))
	}
	raw, err := s.win.at(off, int(min(maxEntryHead, p.end()-off)))
	if err != nil {
		return p.corrupt(off, err)
	}
	s.raw.Reset(raw)
	e, err := readEntryHead(&s.raw, off)
	if err != nil {
		return p.corrupt(off, err)
	}
	if !isDelta(e.kind) {
		return s.copy(p, x, appendEntryHead(s.head[:0], e.kind, e.size), e.len)
	}
	base, err := p.baseOf(off, &e)
	if err != nil {
		return err
	}
	head, err := s.deltaHead(p, list, base, e.size)
	if err != nil {
		return err
	}
	if head == nil {
		kind, data, err := p.object(s.r.db.cache, off, s.r.db.limit)
		if err != nil {
			return err
		}
		return s.encode(kind, data)
	}
	return s.copy(p, x, head, e.len)
}

// deltaHead is the header of a delta whose base is at an offset in p; nil if
// the reader does not get the base and has it not.
func (s *sender) deltaHead(p *packFile, before []sent, base, size int64) ([]byte, error) {
	j := sort.Search(len(before), func(j int) bool { return before[j].off >= base })
	if s.o.OfsDelta && j < len(before) && before[j].off == base {
		head := appendEntryHead(s.head[:0], plumbing.OFSDeltaObject, size)
		return appendOffset(head, s.at-before[j].out), nil
	}
	pos, _, err := p.span(base)
	if err != nil {
		return nil, err
	}
	h := p.idx.hash(pos)
	ok, err := s.m.has(h, markWanted)
	if err == nil && !ok && s.o.Thin {
		ok, err = s.m.has(h, markHad)
	}
	if err != nil || !ok {
		return nil, err
	}
	return append(appendEntryHead(s.head[:0], plumbing.REFDeltaObject, size), h[:]...), nil
}

// copy sends an entry with another header. What lies on disk is checked first,
// or at the end if it is large.
func (s *sender) copy(p *packFile, x extent, head []byte, skip int) error {
	crc := uint32(0)
	for at := x.off; at < x.end; {
		b, err := s.win.at(at, int(min(x.end-at, windowSize)))
		if err != nil {
			return p.corrupt(at, err)
		}
		crc = crc32.Update(crc, crc32.IEEETable, b)
		first := at == x.off
		at += int64(len(b))
		if at == x.end && crc != p.idx.crc(x.pos) {
			return p.corrupt(x.off, errors.New("checksum of entry does not match"))
		}
		if first {
			if err := s.put(head); err != nil {
				return err
			}
			b = b[min(skip, len(b)):]
		}
		if err := s.put(b); err != nil {
			return err
		}
	}
	return nil
}

// A window reads a file in large pieces, from front to back.
type window struct {
	f   *os.File
	end int64
	off int64
	buf []byte
	n   int
}

const windowSize = 128 << 10

// at is the n bytes at off, at most windowSize, until the next call.
func (w *window) at(off int64, n int) ([]byte, error) {
	if off < w.off || off+int64(n) > w.off+int64(w.n) {
		if w.buf == nil {
			w.buf = make([]byte, windowSize)
		}
		got, err := w.f.ReadAt(w.buf[:min(windowSize, w.end-off)], off)
		w.off, w.n = off, got
		if got < n {
			return nil, noEOF(err)
		}
	}
	return w.buf[off-w.off:][:n], nil
}

// encode sends an object that is in memory.
func (s *sender) encode(kind ObjectType, data []byte) error {
	if err := s.put(appendEntryHead(s.head[:0], kind, int64(len(data)))); err != nil {
		return err
	}
	zw := s.deflate()
	if _, err := zw.Write(data); err != nil {
		return err
	}
	return zw.Close()
}

func (s *sender) deflate() *zlib.Writer {
	if s.zw == nil {
		s.zw = zlib.NewWriter(putter{s})
	} else {
		s.zw.Reset(putter{s})
	}
	return s.zw
}

type putter struct{ s *sender }

func (p putter) Write(b []byte) (int, error) { return len(b), p.s.put(b) }

// whole sends a loose object, or one that has been packed meanwhile.
func (s *sender) whole(h Hash) error {
	if err := s.step(); err != nil {
		return err
	}
	l, err := openLoose(s.r.db.dir, h)
	if isNotExist(err) {
		kind, data, err := s.r.Object(h)
		if err != nil {
			return err
		}
		return s.encode(kind, data)
	}
	if err != nil {
		return err
	}
	defer l.Close() //nolint:errcheck // only read
	if err := s.put(appendEntryHead(s.head[:0], l.kind, l.size)); err != nil {
		return err
	}
	zw := s.deflate()
	n, err := io.Copy(zw, l)
	if err != nil {
		return err
	}
	if n != l.size {
		return fmt.Errorf("%w: loose object %s", ErrCorrupt, h)
	}
	return zw.Close()
}
