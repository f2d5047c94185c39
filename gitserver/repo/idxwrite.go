package repo

import (
	"bufio"
	"bytes"
	"crypto/sha1" // the file's own checksum, which is no protection
	"encoding/binary"
	"errors"
	"io"
	"os"
	"sync"
)

func compareHash(a, b *Hash) int { return bytes.Compare(a[:], b[:]) }

var fileWriters = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 64<<10) }}

// writeFile writes a new read-only file that ends with the checksum of all
// before.
func writeFile(path string, write func(*bufio.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o444)
	if err != nil {
		return err
	}
	sum := sha1.New()
	w := fileWriters.Get().(*bufio.Writer)
	defer fileWriters.Put(w)
	w.Reset(io.MultiWriter(f, sum))
	err = write(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		_, err = f.Write(sum.Sum(nil))
	}
	return errors.Join(err, f.Close())
}

// An indexed is a pack's objects in the order of their names.
type indexed interface {
	len() int
	at(i int) (h *Hash, crc uint32, off int64)
}

// byName are the objects of a table in the order of their names.
type byName struct {
	t     *table
	order []int32
}

func (b byName) len() int { return len(b.order) }

func (b byName) at(i int) (h *Hash, crc uint32, off int64) {
	o := b.t.at(b.order[i])
	return &o.hash, o.crc, o.off
}

// writeIdx writes a pack index of version 2 (gitformat-pack), as C git does,
// without its last checksum. Errors of w stick until it is flushed.
func writeIdx(w *bufio.Writer, x indexed, packSum []byte) error {
	var b [8]byte
	u32 := func(v uint32) {
		binary.BigEndian.PutUint32(b[:], v)
		w.Write(b[:4]) //nolint:errcheck // sticks
	}
	w.WriteString(idxMagic) //nolint:errcheck // sticks
	var fanout [256]uint32
	for i := range x.len() {
		h, _, _ := x.at(i)
		fanout[h[0]]++
	}
	n := uint32(0)
	for _, c := range fanout {
		n += c
		u32(n)
	}
	for i := range x.len() {
		h, _, _ := x.at(i)
		w.Write(h[:]) //nolint:errcheck // sticks
	}
	for i := range x.len() {
		_, crc, _ := x.at(i)
		u32(crc)
	}
	var big []int64
	for i := range x.len() {
		_, _, off := x.at(i)
		if off > 0x7fffffff {
			u32(0x80000000 | uint32(len(big)))
			big = append(big, off)
			continue
		}
		u32(uint32(off))
	}
	for _, off := range big {
		binary.BigEndian.PutUint64(b[:], uint64(off))
		w.Write(b[:]) //nolint:errcheck // sticks
	}
	_, err := w.Write(packSum)
	return err
}

// writeRev writes a reverse index: positions in the index in the order of
// offsets, which is the order of objects in the pack.
func writeRev(w *bufio.Writer, order []int32, packSum []byte) error {
	var b [4]byte
	u32 := func(v uint32) {
		binary.BigEndian.PutUint32(b[:], v)
		w.Write(b[:]) //nolint:errcheck // sticks
	}
	w.WriteString("RIDX") //nolint:errcheck // sticks
	u32(1)
	u32(1) // SHA-1
	pos := make([]int32, len(order))
	for p, i := range order {
		pos[i] = int32(p)
	}
	for _, p := range pos {
		u32(uint32(p))
	}
	_, err := w.Write(packSum)
	return err
}
