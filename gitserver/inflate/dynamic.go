package inflate

// preOrder is the order in which the lengths of the codes for lengths come
// (RFC 1951, section 3.2.7).
var preOrder = [numPre]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// dynamic reads the codes that a block brings along.
func (d *Decoder) dynamic() error {
	if !d.need(14) {
		return ErrShort
	}
	lits, dists, pres := 257+d.take(5), 1+d.take(5), 4+d.take(4)
	if lits > numLit-2 || dists > numDist-2 {
		return ErrCorrupt
	}
	b := &d.builder
	preLens := b.lens[:numPre]
	clear(preLens)
	for _, sym := range preOrder[:pres] {
		if !d.need(3) {
			return ErrShort
		}
		preLens[sym] = uint8(d.take(3))
	}
	preBits, ok := b.build(b.pre[:], preLens, preMeaning[:], maxPreBits)
	if !ok {
		return ErrCorrupt
	}
	lens := b.lens[:lits+dists]
	if err := d.lengths(lens, preBits); err != nil {
		return err
	}
	d.litBits, ok = b.build(d.own.lit[:], lens[:lits], litMeaning[:], maxLitBits)
	if ok {
		d.distBits, ok = b.build(d.own.dist[:], lens[lits:], distMeaning[:], maxDistBits)
	}
	if !ok {
		return ErrCorrupt
	}
	return nil
}

// lengths reads the lengths of literal and distance codes, which are one run.
func (d *Decoder) lengths(lens []uint8, preBits uint) error {
	b := &d.builder
	for i := 0; i < len(lens); {
		d.need(maxPreBits + 7) // near the end there may be less
		e := b.pre[d.bits&(1<<preBits-1)]
		n := e.codeBits()
		switch {
		case e&isBad != 0 && d.have >= preBits:
			return ErrCorrupt
		case e&isBad != 0 || n > d.have:
			return ErrShort
		}
		d.take(n)
		sym := e.value()
		if sym < 16 {
			lens[i] = uint8(sym)
			i++
			continue
		}
		value, run, extra := uint8(0), uint(3), uint(3)
		switch sym {
		case 16:
			if i == 0 {
				return ErrCorrupt
			}
			value, extra = lens[i-1], 2
		case 18:
			run, extra = 11, 7
		}
		if d.have < extra {
			return ErrShort
		}
		run += d.take(extra)
		if run > uint(len(lens)-i) {
			return ErrCorrupt
		}
		for range run {
			lens[i] = value
			i++
		}
	}
	return nil
}
