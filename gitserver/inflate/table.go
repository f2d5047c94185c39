package inflate

import "math/bits"

// An entry says what a code stands for:
//
//	bit 0-5    how many bits to take: code and extra bits
//	8-11       the code alone; in front of a table, what indexes it
//	12-15      flags
//	16-31      literal, least length or distance, or where the table begins
//
// A code longer than the table's index leads to a second table behind the first
// one, whose entries count only the bits that are left.
type entry uint32

const (
	isLiteral entry = 1 << 12
	isEnd     entry = 1 << 13
	isTable   entry = 1 << 14
	isBad     entry = 1 << 15 // no code, or one that stands for nothing
	isSpecial       = isEnd | isTable | isBad
)

func (e entry) byte() byte     { return byte(e >> 16) }
func (e entry) value() int     { return int(e >> 16) }
func (e entry) allBits() uint  { return uint(e & 63) }
func (e entry) codeBits() uint { return uint(e >> 8 & 15) }

// with adds the bits of a code to what it stands for.
func (e entry) with(code uint) entry { return e + entry(code) + entry(code)<<8 }

const (
	maxCode     = 15
	numLit      = 288
	numDist     = 32
	numPre      = 19
	maxLitBits  = 11
	maxDistBits = 8
	maxPreBits  = 7

	// The tables have room for the worst case, 2342 and 402 entries, rounded up
	// so that an index can be cut to them.
	litTable  = 4096
	distTable = 512
	preTable  = 1 << maxPreBits
)

// What the symbols stand for, their codes' bits left out (RFC 1951, 3.2.5).
var (
	litMeaning  = litMeanings()
	distMeaning = distMeanings()
	preMeaning  = preMeanings()
)

func litMeanings() (m [numLit]entry) {
	for i := range 256 {
		m[i] = isLiteral | entry(i)<<16
	}
	m[256] = isEnd
	base := 3
	for i := range 28 {
		extra := max(i/4-1, 0)
		m[257+i] = entry(base)<<16 | entry(extra)
		base += 1 << extra
	}
	m[285] = entry(maxMatch) << 16
	m[286], m[287] = isBad, isBad
	return m
}

func distMeanings() (m [numDist]entry) {
	base := 1
	for i := range 30 {
		extra := max(i/2-1, 0)
		m[i] = entry(base)<<16 | entry(extra)
		base += 1 << extra
	}
	m[30], m[31] = isBad, isBad
	return m
}

func preMeanings() (m [numPre]entry) {
	for i := range m {
		m[i] = entry(i) << 16
	}
	return m
}

const (
	fixedLitBits  = 9
	fixedDistBits = 5
)

// fixed are the codes of blocks without their own (RFC 1951, 3.2.6).
var fixed = fixedCodes()

type codes struct {
	lit  [litTable]entry
	dist [distTable]entry
}

func fixedCodes() *codes {
	c := new(codes)
	var b builder
	lens := b.lens[:numLit]
	for i := range lens {
		switch {
		case i < 144:
			lens[i] = 8
		case i < 256:
			lens[i] = 9
		case i < 280:
			lens[i] = 7
		default:
			lens[i] = 8
		}
	}
	b.build(c.lit[:], lens, litMeaning[:], maxLitBits)
	lens = b.lens[:numDist]
	for i := range lens {
		lens[i] = 5
	}
	b.build(c.dist[:], lens, distMeaning[:], maxDistBits)
	return c
}

// A builder makes tables out of the lengths of codes.
type builder struct {
	lens   [numLit + numDist]uint8
	sorted [numLit]uint16
	pre    [preTable]entry
}

// build fills a table and returns how many bits index it, at most limit. It
// refuses what compress/flate does: lengths that make no complete code, unless
// they are none at all, or a single code of one bit.
func (b *builder) build(table []entry, lens []uint8, meaning []entry, limit uint) (index uint, ok bool) {
	var count [maxCode + 1]int
	for _, n := range lens {
		count[n]++
	}
	longest := uint(maxCode)
	for longest > 0 && count[longest] == 0 {
		longest--
	}
	if longest == 0 {
		table[0], table[1] = isBad, isBad
		return 1, true
	}
	b.sort(lens, &count)
	if longest == 1 && count[1] == 1 {
		table[0], table[1] = meaning[b.sorted[0]].with(1), isBad
		return 1, true
	}
	left := 1 // codes of the current length that are still free
	for n := 1; n <= maxCode; n++ {
		if left = left<<1 - count[n]; left < 0 {
			return 0, false
		}
	}
	if left != 0 {
		return 0, false
	}
	index = min(longest, limit)
	b.fill(table, &count, meaning, index)
	return index, true
}

// sort orders the symbols by the length of their codes, then by their values.
func (b *builder) sort(lens []uint8, count *[maxCode + 1]int) {
	var next [maxCode + 2]int
	for n := 1; n <= maxCode; n++ {
		next[n+1] = next[n] + count[n]
	}
	for sym, n := range lens {
		if n != 0 {
			b.sorted[next[n]] = uint16(sym)
			next[n]++
		}
	}
}

// fill writes the entries of a complete code. Codes are counted up in the order
// of their bits in the stream, so the table of one length is made by doubling
// that of the length before.
func (b *builder) fill(table []entry, count *[maxCode + 1]int, meaning []entry, index uint) {
	size := uint(1) // of the table so far, and of its codes' space
	code, length := uint(0), uint(0)
	end := uint(1) << index
	sub, subBits, prefix := uint(0), uint(0), ^uint(0)
	for _, sym := range b.sorted {
		for count[length] == 0 || length == 0 {
			length++
			if length <= index {
				copy(table[size:2*size], table[:size])
				size *= 2
			}
		}
		count[length]--
		if length <= index {
			table[code] = meaning[sym].with(length)
		} else {
			if low := code & (end - 1); low != prefix {
				prefix, sub = low, max(end, sub+1<<subBits)
				subBits = tableBits(count, length, index)
				table[low] = isTable | entry(sub)<<16 | entry(subBits)<<8 | entry(index)
			}
			e := meaning[sym].with(length - index)
			for i := code >> index; i < 1<<subBits; i += 1 << (length - index) {
				table[sub+i] = e
			}
		}
		// The next code, counting from the highest of its bits down.
		top := uint(1)<<length - 1
		if code == top {
			for ; length < index; length++ {
				copy(table[size:2*size], table[:size])
				size *= 2
			}
			return
		}
		bit := uint(1) << (bits.Len(code^top) - 1)
		code = code&(bit-1) | bit
	}
}

// tableBits is how many bits index a second table whose first code has the
// given length and was counted off already.
func tableBits(count *[maxCode + 1]int, length, index uint) uint {
	n := length - index
	used := count[length] + 1
	for used < 1<<n {
		n++
		used = used<<1 + count[index+n]
	}
	return n
}
