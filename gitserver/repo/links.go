package repo

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// A link is a reference from a new object to another one, which must be of
// type t.
type link struct {
	h Hash
	t ObjectType
}

// A linkSet collects links. Trees repeat most of each other's, which a small
// direct-mapped cache filters out; what is left is kept in memory up to a
// bound, then in a file.
type linkSet struct {
	dir   string
	slots []link
	kept  []link
	spill *os.File
	w     *bufio.Writer
	err   error
	buf   [linkBytes]byte // of write
}

const (
	maxSlots     = 64 << 10
	maxKeptLinks = 16 << 10
	linkBytes    = hashSize + 1
)

// newLinkSet makes a set for a pack of about n objects, which spills into dir.
func newLinkSet(dir string, n int) *linkSet {
	size := 256
	for size < maxSlots && size < 4*n {
		size *= 2
	}
	return &linkSet{dir: dir, slots: make([]link, size)}
}

func (s *linkSet) add(h Hash, t ObjectType) {
	slot := &s.slots[binary.LittleEndian.Uint32(h[:])&uint32(len(s.slots)-1)]
	if slot.h == h && slot.t == t {
		return
	}
	slot.h, slot.t = h, t
	if len(s.kept) < maxKeptLinks {
		s.kept = append(s.kept, *slot)
		return
	}
	s.write(slot)
}

func (s *linkSet) write(l *link) {
	if s.err != nil {
		return
	}
	if s.spill == nil {
		if s.spill, s.err = os.CreateTemp(s.dir, "links-"); s.err != nil {
			return
		}
		s.w = bufio.NewWriterSize(s.spill, 64<<10)
	}
	copy(s.buf[:], l.h[:])
	s.buf[hashSize] = byte(l.t)
	_, s.err = s.w.Write(s.buf[:])
}

// each calls f for every link, and empties the set.
func (s *linkSet) each(f func(link) error) error {
	defer s.close()
	if s.err != nil {
		return fmt.Errorf("keep links: %w", s.err)
	}
	for _, l := range s.kept {
		if err := f(l); err != nil {
			return err
		}
	}
	if s.spill == nil {
		return nil
	}
	if err := s.w.Flush(); err != nil {
		return fmt.Errorf("keep links: %w", err)
	}
	if _, err := s.spill.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("keep links: %w", err)
	}
	r := bufio.NewReaderSize(s.spill, 64<<10)
	var b [linkBytes]byte
	for {
		_, err := io.ReadFull(r, b[:])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read links: %w", err)
		}
		if err := f(link{Hash(b[:hashSize]), ObjectType(b[hashSize])}); err != nil {
			return err
		}
	}
}

func (s *linkSet) close() {
	if s.spill != nil {
		s.spill.Close()           //nolint:errcheck // about to go
		os.Remove(s.spill.Name()) //nolint:errcheck // goes with its directory
		s.spill = nil
	}
	s.kept, s.slots = nil, nil
}
