package inflate

import "encoding/binary"

// fast inflates literals and matches as long as neither the end of src nor that
// of out is near, so that eight bytes can be read and a whole match be written
// without a look at the bounds. It returns true at the end of the block.
//
//nolint:cyclop,funlen,nestif // the one hot loop: its state stays in registers only if it is one function
func (d *Decoder) fast(c *codes, litBits, distBits uint) (done bool, err error) {
	lit, dist := &c.lit, &c.dist
	out, at, src, pos := d.out, d.at, d.src, d.pos
	bits, have := d.bits, d.have
	litMask, distMask := uint64(1)<<(litBits&63)-1, uint64(1)<<(distBits&63)-1
	lastIn, lastOut := len(src)-16, min(len(out)-Slack, len(d.dst))
	for pos <= lastIn && at <= lastOut {
		// At least 56 bits: what is above have is the same bits again later.
		bits |= binary.LittleEndian.Uint64(src[pos:]) << (have & 63)
		pos += int((63 - have) >> 3 & 7)
		have |= 56

		e := lit[bits&litMask&(litTable-1)]
		if e&isLiteral != 0 {
			// Three literals take 33 bits at most: no other look at the input.
			bits >>= e & 63
			have -= uint(e & 63)
			out[at] = byte(e >> 16)
			at++
			e = lit[bits&litMask&(litTable-1)]
			if e&isLiteral != 0 {
				bits >>= e & 63
				have -= uint(e & 63)
				out[at] = byte(e >> 16)
				at++
				e = lit[bits&litMask&(litTable-1)]
				if e&isLiteral != 0 {
					bits >>= e & 63
					have -= uint(e & 63)
					out[at] = byte(e >> 16)
					at++
					continue
				}
			}
		}
		if e&isSpecial != 0 {
			if e&isTable != 0 {
				sub := uint64(e>>16) + bits>>(litBits&63)&(1<<(e>>8&15)-1)
				bits >>= litBits & 63
				have -= litBits
				e = lit[sub&(litTable-1)]
				if e&isLiteral != 0 {
					bits >>= e & 63
					have -= uint(e & 63)
					out[at] = byte(e >> 16)
					at++
					continue
				}
			}
			if e&isEnd != 0 {
				bits >>= e & 63
				have -= uint(e & 63)
				d.at, d.pos = at, pos
				d.keep(bits, have)
				return true, nil
			}
			if e&isBad != 0 {
				return false, ErrCorrupt
			}
		}
		length := int(e>>16) + int(bits&(1<<(e&63)-1)>>(e>>8&15))
		bits >>= e & 63
		have -= uint(e & 63)

		// 14 bits are left in the worst case, and a distance takes up to 28.
		bits |= binary.LittleEndian.Uint64(src[pos:]) << (have & 63)
		pos += int((63 - have) >> 3 & 7)
		have |= 56
		e = dist[bits&distMask&(distTable-1)]
		if e&isSpecial != 0 {
			if e&isTable != 0 {
				sub := uint64(e>>16) + bits>>(distBits&63)&(1<<(e>>8&15)-1)
				bits >>= distBits & 63
				have -= distBits
				e = dist[sub&(distTable-1)]
			}
			if e&isBad != 0 {
				return false, ErrCorrupt
			}
		}
		far := int(e>>16) + int(bits&(1<<(e&63)-1)>>(e>>8&15))
		bits >>= e & 63
		have -= uint(e & 63)
		if far > at {
			return false, ErrCorrupt
		}
		repeat(out, at, far, length)
		at += length
	}
	if at > len(d.dst) {
		return false, ErrSize
	}
	d.at, d.pos = at, pos
	d.keep(bits, have)
	return false, nil
}

// keep stores the bits that count, and no others.
func (d *Decoder) keep(bits uint64, have uint) {
	d.bits, d.have = bits&(1<<have-1), have
}

// repeat copies a match. It may write up to 15 bytes too many, which Slack
// allows for.
func repeat(out []byte, at, far, length int) {
	to := out[at : at+length+15]
	switch {
	case far >= 16:
		from := out[at-far:]
		for i := 0; i < length; i += 16 {
			a, b := binary.LittleEndian.Uint64(from[i:]), binary.LittleEndian.Uint64(from[i+8:])
			binary.LittleEndian.PutUint64(to[i:], a)
			binary.LittleEndian.PutUint64(to[i+8:], b)
		}
	case far >= 8:
		from := out[at-far:]
		for i := 0; i < length; i += 8 {
			binary.LittleEndian.PutUint64(to[i:], binary.LittleEndian.Uint64(from[i:]))
		}
	case far == 1:
		v := uint64(out[at-1]) * 0x0101010101010101
		for i := 0; i < length; i += 8 {
			binary.LittleEndian.PutUint64(to[i:], v)
		}
	default:
		from := out[at-far:]
		for i := range length {
			to[i] = from[i]
		}
	}
}
