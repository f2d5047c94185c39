package inflate

import (
	"encoding/binary"
	"errors"
	"hash/adler32"
)

// What may be wrong with a stream.
var (
	// ErrShort says that src ends before the stream does.
	ErrShort = errors.New("stream ends early")
	// ErrCorrupt says that the bytes are no zlib stream.
	ErrCorrupt = errors.New("corrupt zlib stream")
	// ErrSize says that the stream does not inflate to exactly the size of dst.
	ErrSize = errors.New("stream has another size than expected")
	// ErrChecksum says that the checksum at the stream's end does not match.
	ErrChecksum = errors.New("checksum of zlib stream does not match")
)

// Slack is how much room behind dst, in its capacity, makes inflating fast.
// What is written there means nothing.
const Slack = maxMatch + 32

const maxMatch = 258

// A Decoder holds the tables of one stream at a time.
type Decoder struct {
	dst, out []byte // out is dst with its slack
	at       int    // of the next byte in out
	src      []byte
	pos      int // of the next byte in src

	// The next bits of the stream, the first one lowest; have of them count.
	bits uint64
	have uint

	own      codes // of the current block
	litBits  uint  // that index own.lit
	distBits uint  // that index own.dist
	builder  builder
}

// Zlib inflates the stream at the beginning of src, which must give exactly
// len(dst) bytes, and returns how many bytes of src it took. After an error the
// content of dst is undefined. Bytes up to dst's capacity may be overwritten.
func (d *Decoder) Zlib(dst, src []byte) (int, error) {
	const head, tail = 2, 4
	if len(src) < head {
		return 0, ErrShort
	}
	// CMF and FLG: deflate, a window of at most 32 KiB, no dictionary.
	if src[0]&15 != 8 || src[0]>>4 > 7 || binary.BigEndian.Uint16(src)%31 != 0 || src[1]&0x20 != 0 {
		return 0, ErrCorrupt
	}
	d.dst, d.out, d.at = dst, dst[:min(cap(dst), len(dst)+Slack)], 0
	d.src, d.pos, d.bits, d.have = src, head, 0, 0
	defer d.release()
	for last := false; !last; {
		var err error
		if last, err = d.block(); err != nil {
			return 0, err
		}
	}
	if d.at != len(dst) {
		return 0, ErrSize
	}
	d.align()
	if len(src)-d.pos < tail {
		return 0, ErrShort
	}
	if binary.BigEndian.Uint32(src[d.pos:]) != adler32.Checksum(dst) {
		return 0, ErrChecksum
	}
	return d.pos + tail, nil
}

// release lets go of the caller's memory.
func (d *Decoder) release() { d.dst, d.out, d.src = nil, nil, nil }

// block inflates one block (RFC 1951, section 3.2.3).
func (d *Decoder) block() (last bool, err error) {
	if !d.need(3) {
		return false, ErrShort
	}
	head := d.take(3)
	switch head >> 1 {
	case 0:
		err = d.stored()
	case 1:
		err = d.inflate(fixed, fixedLitBits, fixedDistBits)
	case 2:
		if err = d.dynamic(); err == nil {
			err = d.inflate(&d.own, d.litBits, d.distBits)
		}
	default:
		err = ErrCorrupt
	}
	return head&1 == 1, err
}

// need makes sure that n bits, at most 56, are at hand.
func (d *Decoder) need(n uint) bool {
	for d.have < n {
		if d.pos >= len(d.src) {
			return false
		}
		d.bits |= uint64(d.src[d.pos]) << d.have
		d.pos++
		d.have += 8
	}
	return true
}

// take removes n bits that are at hand.
func (d *Decoder) take(n uint) uint {
	v := uint(d.bits & (1<<n - 1))
	d.bits >>= n
	d.have -= n
	return v
}

// align drops the bits up to the next byte, and gives whole ones back.
func (d *Decoder) align() {
	d.pos -= int(d.have / 8)
	d.bits, d.have = 0, 0
}

// stored copies a block that is not compressed.
func (d *Decoder) stored() error {
	d.align()
	if len(d.src)-d.pos < 4 {
		return ErrShort
	}
	n := int(binary.LittleEndian.Uint16(d.src[d.pos:]))
	if uint16(n) != ^binary.LittleEndian.Uint16(d.src[d.pos+2:]) {
		return ErrCorrupt
	}
	d.pos += 4
	if n > len(d.dst)-d.at {
		return ErrSize
	}
	if n > len(d.src)-d.pos {
		return ErrShort
	}
	copy(d.dst[d.at:], d.src[d.pos:d.pos+n])
	d.at += n
	d.pos += n
	return nil
}

// inflate undoes a block of Huffman codes: most of it fast, its ends carefully.
func (d *Decoder) inflate(c *codes, litBits, distBits uint) error {
	for {
		done, err := d.fast(c, litBits, distBits)
		if done || err != nil {
			return err
		}
		done, err = d.step(c, litBits, distBits)
		if done || err != nil {
			return err
		}
	}
}

// step inflates one literal or match, looking at every bound.
func (d *Decoder) step(c *codes, litBits, distBits uint) (done bool, err error) {
	e, err := d.symbol(c.lit[:], litBits)
	switch {
	case err != nil:
		return false, err
	case e&isLiteral != 0:
		if d.at >= len(d.dst) {
			return false, ErrSize
		}
		d.dst[d.at] = e.byte()
		d.at++
		return false, nil
	case e&isEnd != 0:
		return true, nil
	}
	length, err := d.value(e)
	if err != nil {
		return false, err
	}
	if e, err = d.symbol(c.dist[:], distBits); err != nil {
		return false, err
	}
	far, err := d.value(e)
	switch {
	case err != nil:
		return false, err
	case far > d.at:
		return false, ErrCorrupt
	case length > len(d.dst)-d.at:
		return false, ErrSize
	}
	for range length {
		d.dst[d.at] = d.dst[d.at-far]
		d.at++
	}
	return false, nil
}

// symbol reads one code. The bits of its value stay.
func (d *Decoder) symbol(table []entry, bits uint) (entry, error) {
	d.need(maxCode) // near the end there may be less, which is enough or not
	e := table[d.bits&(1<<bits-1)]
	if e&isTable != 0 {
		if d.have < bits {
			return 0, ErrShort
		}
		e = table[uint64(e.value())+d.bits>>bits&(1<<e.codeBits()-1)]
		if n := bits + e.codeBits(); n <= d.have {
			d.take(bits)
		} else {
			return 0, ErrShort
		}
	}
	if e&isBad != 0 {
		if d.have < maxCode && d.pos >= len(d.src) {
			return 0, ErrShort
		}
		return 0, ErrCorrupt
	}
	if e.codeBits() > d.have {
		return 0, ErrShort
	}
	d.take(e.codeBits())
	return e, nil
}

// value is the length or distance of a code that was read.
func (d *Decoder) value(e entry) (int, error) {
	extra := e.allBits() - e.codeBits()
	if !d.need(extra) {
		return 0, ErrShort
	}
	return e.value() + int(d.take(extra)), nil
}
