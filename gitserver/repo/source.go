package repo

import (
	"bufio"
	"bytes"
	"crypto/sha1" // the pack's own checksum, which is no protection
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"
)

// A source reads a pack from the wire, and writes what it reads to a file. It
// knows how far its reader has come, so that the checksums of entries and of
// the pack end where they have to.
type source struct {
	r   io.Reader
	out *os.File
	max int64
	br  *bufio.Reader // what the caller reads from; never peeked into

	sum   hash.Hash
	chunk []byte
	base  int64 // offset in the pack of chunk[0]
	n     int   // bytes in chunk
	given int   // of these, handed to br
	done  int   // of these, hashed and written

	crc   uint32
	crcAt int // of chunk, counted in crc
	tail  bool
}

const (
	chunkSize = 128 << 10
	givenSize = 16 << 10
)

func newSource(r io.Reader, out *os.File, limit int64) *source {
	s := &source{r: r, out: out, max: limit, sum: sha1.New(), chunk: make([]byte, chunkSize)}
	s.br = bufio.NewReaderSize((*sourceReader)(s), givenSize)
	return s
}

// A sourceReader is a source's face towards its own bufio.Reader, which calls
// it only when it has given everything away.
type sourceReader source

func (r *sourceReader) Read(p []byte) (int, error) {
	s := (*source)(r)
	if s.given == s.n {
		if n, err := s.more(); n == 0 {
			return 0, err
		}
	}
	n := copy(p, s.chunk[s.given:s.n])
	s.given += n
	return n, nil
}

// more reads from the wire behind what the chunk holds, or into an empty one.
// Its error counts if nothing came.
func (s *source) more() (int, error) {
	if s.n == len(s.chunk) {
		if err := s.flush(s.n); err != nil {
			return 0, err
		}
		s.crc = crc32.Update(s.crc, crc32.IEEETable, s.chunk[s.crcAt:])
		s.base += int64(s.n)
		s.n, s.given, s.done, s.crcAt = 0, 0, 0, 0
	}
	n, err := s.r.Read(s.chunk[s.n:])
	s.n += n
	if over(s.base+int64(s.n), s.max) {
		return 0, fmt.Errorf("%w: pack is larger than %d bytes", ErrLimit, s.max)
	}
	return n, err
}

// at is the index in chunk of the byte that br gives next.
func (s *source) at() int { return s.given - s.br.Buffered() }

func (s *source) offset() int64 { return s.base + int64(s.at()) }

// flush hashes and writes the chunk up to an index.
func (s *source) flush(to int) error {
	if s.tail || to == s.done {
		return nil
	}
	b := s.chunk[s.done:to]
	s.done = to
	s.sum.Write(b)
	_, err := s.out.Write(b)
	return err
}

// takeCRC returns the checksum of what was read since the last call.
func (s *source) takeCRC() uint32 {
	at := s.at()
	crc := crc32.Update(s.crc, crc32.IEEETable, s.chunk[s.crcAt:at])
	s.crc, s.crcAt = 0, at
	return crc
}

// finish reads and checks the pack's trailer, and that nothing follows it:
// nothing that has come along, or nothing at all if eof is set.
func (s *source) finish(eof bool) (sum []byte, err error) {
	if err := s.flush(s.at()); err != nil {
		return nil, err
	}
	s.tail = true
	sum = s.sum.Sum(nil)
	var got [hashSize]byte
	if _, err := io.ReadFull(s.br, got[:]); err != nil {
		return nil, noEOF(err)
	}
	if !bytes.Equal(got[:], sum) {
		return nil, fmt.Errorf("%w: checksum does not match", ErrBadPack)
	}
	junk := fmt.Errorf("%w: data behind its end", ErrBadPack)
	if s.at() < s.n {
		return nil, junk
	}
	if eof {
		switch _, err := s.br.ReadByte(); {
		case err == nil:
			return nil, junk
		case errors.Is(err, ErrLimit):
			return nil, junk
		case !errors.Is(err, io.EOF):
			return nil, err
		}
	}
	_, err = s.out.Write(sum)
	return sum, err
}
