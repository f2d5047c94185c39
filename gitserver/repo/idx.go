package repo

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// An idx is a mapped pack index, version 2 (gitformat-pack).
type idx struct {
	data []byte
	n    int
}

const (
	idxMagic  = "\xfftOc\x00\x00\x00\x02"
	idxHead   = len(idxMagic)
	idxNames  = idxHead + 256*4
	idxPerObj = hashSize + 4 + 4
)

func openIdx(path string) (*idx, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size() < int64(idxNames+2*hashSize) || int64(int(st.Size())) != st.Size() {
		return nil, fmt.Errorf("%w: %s has a wrong size", ErrCorrupt, path)
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(st.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, &os.PathError{Op: "mmap", Path: path, Err: err}
	}
	x, err := parseIdx(data)
	if err != nil {
		unix.Munmap(data) //nolint:errcheck // only read
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return x, nil
}

// parseIdx checks all that find and offset rely on, in O(1).
func parseIdx(data []byte) (*idx, error) {
	if len(data) < idxNames+2*hashSize || string(data[:idxHead]) != idxMagic {
		return nil, fmt.Errorf("%w: not a pack index of version 2", ErrCorrupt)
	}
	x := &idx{data: data}
	last := uint32(0)
	for i := range 256 {
		v := x.fanout(i)
		if v < last {
			return nil, fmt.Errorf("%w: fan-out of pack index is not sorted", ErrCorrupt)
		}
		last = v
	}
	x.n = int(last)
	least := int64(idxNames) + int64(x.n)*idxPerObj + 2*hashSize
	size := int64(len(data))
	if size < least || size > least+int64(x.n)*8 || (size-least)%8 != 0 {
		return nil, fmt.Errorf("%w: pack index has a wrong size", ErrCorrupt)
	}
	return x, nil
}

func (x *idx) close() error { return unix.Munmap(x.data) }

func (x *idx) fanout(i int) uint32 {
	return binary.BigEndian.Uint32(x.data[idxHead+i*4:])
}

func (x *idx) name(pos int) []byte {
	return x.data[idxNames+pos*hashSize:][:hashSize]
}

func (x *idx) hash(pos int) Hash { return Hash(x.name(pos)) }

func (x *idx) crc(pos int) uint32 {
	return binary.BigEndian.Uint32(x.data[idxNames+x.n*hashSize+pos*4:])
}

// offset is where the entry of the object at pos begins in the pack.
func (x *idx) offset(pos int) (int64, error) {
	off := idxNames + x.n*(hashSize+4)
	v := binary.BigEndian.Uint32(x.data[off+pos*4:])
	if v&0x80000000 == 0 {
		return int64(v), nil
	}
	at := off + x.n*4 + int(v&0x7fffffff)*8
	if at+8 > len(x.data)-2*hashSize {
		return 0, fmt.Errorf("%w: offset in pack index is out of bounds", ErrCorrupt)
	}
	big := int64(binary.BigEndian.Uint64(x.data[at:]))
	if big < 0 {
		return 0, fmt.Errorf("%w: offset in pack index is out of bounds", ErrCorrupt)
	}
	return big, nil
}

// find is the position of h.
func (x *idx) find(h Hash) (int, bool) {
	lo, hi := 0, int(x.fanout(int(h[0])))
	if h[0] > 0 {
		lo = int(x.fanout(int(h[0]) - 1))
	}
	key := binary.BigEndian.Uint64(h[:])
	lo, hi = x.narrow(key, lo, hi)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		c := cmp.Compare(x.begins(mid), key)
		if c == 0 {
			c = bytes.Compare(x.name(mid)[8:], h[8:])
		}
		switch {
		case c == 0:
			return mid, true
		case c < 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return 0, false
}

// narrow brings the bounds of a search close together: names are spread evenly,
// so that the first bits tell where one has to be. Several names may begin with
// key; none of them gets out of bounds.
func (x *idx) narrow(key uint64, lo, hi int) (int, int) {
	const few = 64
	if hi-lo < few {
		return lo, hi
	}
	at := lo + int(uint64(hi-lo)*(key<<8>>32)>>32)
	v := x.begins(at)
	up := v < key
	for step := 8; ; step *= 2 {
		switch {
		case v < key && up:
			lo = at
		case v < key:
			return at, hi
		case v > key && up:
			return lo, at
		case v > key:
			hi = at
		}
		next := at - step
		if up {
			next = at + step
		}
		if next <= lo || next >= hi {
			return lo, hi
		}
		at, v = next, x.begins(next)
	}
}

// begins is the beginning of the name at pos.
func (x *idx) begins(pos int) uint64 { return binary.BigEndian.Uint64(x.name(pos)) }

// packSum is the checksum of the pack that the index belongs to.
func (x *idx) packSum() []byte {
	return x.data[len(x.data)-2*hashSize:][:hashSize]
}
