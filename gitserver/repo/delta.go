package repo

import (
	"errors"
	"fmt"
)

var errDelta = errors.New("malformed delta")

// maxDeltaHead is the most bytes that the sizes at a delta's beginning take.
const maxDeltaHead = 2 * 9

// deltaSizes reads the sizes of base and result that a delta begins with, and
// returns the number of bytes that they take.
func deltaSizes(d []byte) (base, result int64, n int, err error) {
	base, n, err = deltaSize(d)
	if err != nil {
		return 0, 0, 0, err
	}
	result, m, err := deltaSize(d[n:])
	return base, result, n + m, err
}

func deltaSize(d []byte) (int64, int, error) {
	var v uint64
	for i, c := range d {
		if i > 8 {
			return 0, 0, fmt.Errorf("%w: size overflows", errDelta)
		}
		v |= uint64(c&0x7f) << (7 * i)
		if c&0x80 == 0 {
			return int64(v), i + 1, nil
		}
	}
	return 0, 0, fmt.Errorf("%w: truncated size", errDelta)
}

// applyDelta writes to dst, whose length is the result's size, what delta makes
// of base (gitformat-pack, "Deltified representation").
func applyDelta(dst, base, delta []byte) error {
	want, size, n, err := deltaSizes(delta)
	switch {
	case err != nil:
		return err
	case want != int64(len(base)):
		return fmt.Errorf("%w: base has %d bytes, not %d", errDelta, len(base), want)
	case size != int64(len(dst)):
		return fmt.Errorf("%w: result has another size", errDelta)
	}
	d := delta[n:]
	for len(d) > 0 {
		op := d[0]
		d = d[1:]
		if op&0x80 == 0 {
			k := int(op)
			if k == 0 {
				return fmt.Errorf("%w: reserved instruction", errDelta)
			}
			if k > len(d) || k > len(dst) {
				return fmt.Errorf("%w: insert out of bounds", errDelta)
			}
			copy(dst, d[:k])
			dst, d = dst[k:], d[k:]
			continue
		}
		off, k, used, ok := copyArgs(op, d)
		if !ok || off+k > len(base) || k > len(dst) {
			return fmt.Errorf("%w: copy out of bounds", errDelta)
		}
		copy(dst, base[off:off+k])
		dst, d = dst[k:], d[used:]
	}
	if len(dst) != 0 {
		return fmt.Errorf("%w: result is too short", errDelta)
	}
	return nil
}

// copyArgs decodes offset and length of a copy instruction.
func copyArgs(op byte, d []byte) (off, size, used int, ok bool) {
	for i := range 7 {
		if op>>i&1 == 0 {
			continue
		}
		if used == len(d) {
			return 0, 0, 0, false
		}
		v := int(d[used])
		used++
		if i < 4 {
			off |= v << (8 * i)
		} else {
			size |= v << (8 * (i - 4))
		}
	}
	if size == 0 {
		size = 0x10000
	}
	return off, size, used, true
}
