package repo

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/go-git/go-git/v5/plumbing"
)

// An entryHead is what stands before the zlib data of a pack entry
// (gitformat-pack, "Pack file entry").
type entryHead struct {
	kind ObjectType
	size int64 // inflated: of the object, or of the delta itself
	base int64 // offset of an offset delta's base
	ref  Hash  // name of a reference delta's base
	len  int   // bytes that the header takes
}

// maxEntryHead is the longest header: ten bytes of type and size, then ten of
// offset or twenty of name.
const maxEntryHead = 10 + hashSize

var errEntry = errors.New("malformed entry")

// readEntryHead parses the header of the entry at offset off.
func readEntryHead(r io.ByteReader, off int64) (entryHead, error) {
	var e entryHead
	c, err := r.ReadByte()
	if err != nil {
		return e, noEOF(err)
	}
	e.len = 1
	e.kind = ObjectType(c >> 4 & 7)
	size := uint64(c & 15)
	for shift := 4; c&0x80 != 0; shift += 7 {
		if c, err = r.ReadByte(); err != nil {
			return e, noEOF(err)
		}
		e.len++
		if shift > 56 {
			return e, fmt.Errorf("%w: size overflows", errEntry)
		}
		size |= uint64(c&0x7f) << shift
	}
	if size > math.MaxInt64 {
		return e, fmt.Errorf("%w: size overflows", errEntry)
	}
	e.size = int64(size)
	switch e.kind { //nolint:exhaustive // the others are refused below
	case plumbing.CommitObject, plumbing.TreeObject, plumbing.BlobObject, plumbing.TagObject:
		return e, nil
	case plumbing.OFSDeltaObject:
		return e, e.readOffset(r, off)
	case plumbing.REFDeltaObject:
		for i := range e.ref {
			if e.ref[i], err = r.ReadByte(); err != nil {
				return e, noEOF(err)
			}
		}
		e.len += hashSize
		return e, nil
	}
	return e, fmt.Errorf("%w: unknown type %d", errEntry, e.kind)
}

func (e *entryHead) readOffset(r io.ByteReader, off int64) error {
	c, err := r.ReadByte()
	if err != nil {
		return noEOF(err)
	}
	e.len++
	dist := int64(c & 0x7f)
	for c&0x80 != 0 {
		if c, err = r.ReadByte(); err != nil {
			return noEOF(err)
		}
		e.len++
		if dist >= math.MaxInt64>>8 {
			return fmt.Errorf("%w: base offset overflows", errEntry)
		}
		dist = (dist+1)<<7 | int64(c&0x7f)
	}
	if dist <= 0 || dist >= off {
		return fmt.Errorf("%w: base offset out of bounds", errEntry)
	}
	e.base = off - dist
	return nil
}

// appendEntryHead encodes type and size; the base of a delta follows it.
func appendEntryHead(b []byte, kind ObjectType, size int64) []byte {
	c := byte(kind)<<4 | byte(size&15)
	for size >>= 4; size != 0; size >>= 7 {
		b = append(b, c|0x80)
		c = byte(size & 0x7f)
	}
	return append(b, c)
}

// appendOffset encodes the distance back to an offset delta's base.
func appendOffset(b []byte, dist int64) []byte {
	var tmp [10]byte
	i := len(tmp) - 1
	tmp[i] = byte(dist & 0x7f)
	for dist >>= 7; dist != 0; dist >>= 7 {
		dist--
		i--
		tmp[i] = 0x80 | byte(dist&0x7f)
	}
	return append(b, tmp[i:]...)
}

// noEOF turns an end of file inside of something into an error that says so.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
