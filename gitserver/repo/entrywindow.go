package repo

import (
	"bytes"
	"errors"
	"fmt"

	"slipway/gitserver/inflate"
)

// An entryWindow reads entries of a pack whose length on disk is unknown. It
// reads ahead, as entries that are read one after the other lie close together
// as a rule. It is used by one goroutine.
type entryWindow struct {
	p   *packFile
	buf []byte // of the pack, at off
	off int64
	z   inflate.Decoder
}

const entryAhead = 16 << 10

// use turns to another pack.
func (w *entryWindow) use(p *packFile) {
	if w.p != p {
		w.p, w.buf = p, w.buf[:0]
	}
}

// at is n bytes of the pack at off, or what there is of them, until the next
// call.
func (w *entryWindow) at(off, n int64) ([]byte, error) {
	n = min(n, w.p.end()-off)
	if off >= w.off && off+n <= w.off+int64(len(w.buf)) {
		return w.buf[off-w.off:][:n], nil
	}
	size := max(n, min(entryAhead, w.p.end()-off))
	if int64(cap(w.buf)) < size || cap(w.buf) > maxSpare {
		w.buf = make([]byte, size)
	}
	w.buf, w.off = w.buf[:size], off
	if _, err := w.p.f.ReadAt(w.buf, off); err != nil {
		w.buf = w.buf[:0]
		return nil, noEOF(err)
	}
	return w.buf[:n], nil
}

// head reads the header of the entry at off.
func (w *entryWindow) head(off int64) (entryHead, error) {
	if off < packHead || off >= w.p.end() {
		return entryHead{}, w.p.corrupt(off, errors.New("offset out of bounds"))
	}
	raw, err := w.at(off, maxEntryHead)
	if err != nil {
		return entryHead{}, w.p.corrupt(off, err)
	}
	e, err := readEntryHead(bytes.NewReader(raw), off)
	if err != nil {
		return e, w.p.corrupt(off, err)
	}
	return e, nil
}

// content inflates the entry at off, whose header is known, into dst, which has
// its size.
func (w *entryWindow) content(dst []byte, off int64, e *entryHead) error {
	// Zlib adds little to what does not compress; what has more is read slowly.
	raw, err := w.at(off, int64(e.len)+e.size+e.size/256+64)
	if err != nil {
		return w.p.corrupt(off, err)
	}
	_, err = w.z.Zlib(dst, raw[e.len:])
	if errors.Is(err, inflate.ErrShort) {
		r := entryReaders.Get().(*entryReader)
		defer entryReaders.Put(r)
		if _, err = r.open(w.p, off); err == nil {
			err = r.z.fill(dst, r.br)
		}
		if err != nil {
			return w.p.corrupt(off, err)
		}
		return nil
	}
	if err != nil {
		return w.p.corrupt(off, fmt.Errorf("%w: %w", errInflate, err))
	}
	return nil
}
