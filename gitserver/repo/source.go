package repo

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"slipway/gitserver/inflate"
)

// A source reads a pack from the wire, and passes what its reader has taken on
// to a spool. It knows how far its reader has come, so that the checksums of
// entries and of the pack end where they have to.
type source struct {
	r     io.Reader
	max   int64
	spool *spool

	chunk []byte
	base  int64 // offset in the pack of chunk[0]
	at    int   // of the byte in chunk that is read next
	n     int   // bytes in chunk

	br *bufio.Reader // of ahead

	crc   uint32
	crcAt int // of chunk, counted in crc
}

const (
	chunkSize = 256 << 10
	aheadSize = 32 << 10
	tailSize  = 1 << 10 // for the trailer
)

var errChunkFull = errors.New("entry is larger than the chunk")

func newSource(r io.Reader, out *os.File, limit int64) *source {
	s := newSpool(out)
	return &source{r: r, max: limit, spool: s, chunk: s.chunk()}
}

// ReadByte reads one byte.
func (s *source) ReadByte() (byte, error) {
	if s.at == s.n {
		if err := s.more(); err != nil {
			return 0, err
		}
	}
	c := s.chunk[s.at]
	s.at++
	return c, nil
}

// Read reads what is at hand, or waits for the wire.
func (s *source) Read(p []byte) (int, error) {
	if s.at == s.n {
		if err := s.more(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.chunk[s.at:s.n])
	s.at += n
	return n, nil
}

// more reads from the wire behind what the chunk holds. After a nil error there
// is at least one byte more.
func (s *source) more() error {
	if s.at == s.n || len(s.chunk)-s.n < chunkSize/4 {
		if err := s.turn(); err != nil {
			return err
		}
	}
	if s.n == len(s.chunk) {
		return errChunkFull
	}
	n, err := s.r.Read(s.chunk[s.n:])
	s.n += n
	if over(s.base+int64(s.n), s.max) {
		return fmt.Errorf("%w: pack is larger than %d bytes", ErrLimit, s.max)
	}
	switch {
	case n > 0:
		return nil // a lasting error comes again
	case err == nil:
		return io.ErrNoProgress
	}
	return err
}

// turn hands what has been read to the spool, and begins a new chunk with the
// rest if there is little room left.
func (s *source) turn() error {
	if s.at < chunkSize/2 {
		return nil
	}
	s.crc = crc32.Update(s.crc, crc32.IEEETable, s.chunk[s.crcAt:s.at])
	next := s.spool.chunk()
	s.n = copy(next, s.chunk[s.at:s.n])
	err := s.spool.put(s.chunk[:s.at])
	s.base += int64(s.at)
	s.chunk, s.at, s.crcAt = next, 0, 0
	return err
}

func (s *source) offset() int64 { return s.base + int64(s.at) }

// inflate undoes the zlib stream that is read next, which must be exactly as
// long as dst: in one go if it is at hand as a whole, else as it comes.
func (s *source) inflate(z *inflater, dst []byte) error {
	for range 2 {
		n, err := z.flat.Zlib(dst, s.chunk[s.at:s.n])
		if err == nil {
			s.at += n
			return nil
		}
		if !errors.Is(err, inflate.ErrShort) {
			return fmt.Errorf("%w: %w", errInflate, err)
		}
		switch err := s.more(); {
		case errors.Is(err, errChunkFull):
			return s.ahead(func(br *bufio.Reader) error { return z.fill(dst, br) })
		case err != nil:
			return noEOF(err)
		}
	}
	return s.ahead(func(br *bufio.Reader) error { return z.fill(dst, br) })
}

// stream inflates as inflate does, but in pieces.
func (s *source) stream(z *inflater, size int64, buf []byte, each func([]byte) error) error {
	return s.ahead(func(br *bufio.Reader) error { return z.stream(br, size, buf, each) })
}

// ahead lets f read through a buffer. What it leaves there is read again: it was
// taken from the chunk by the last read, and lies there still.
func (s *source) ahead(f func(*bufio.Reader) error) error {
	if s.br == nil {
		s.br = bufio.NewReaderSize(nil, aheadSize)
	}
	s.br.Reset(s)
	err := f(s.br)
	s.at -= s.br.Buffered()
	return err
}

// takeCRC returns the checksum of what was read since the last call.
func (s *source) takeCRC() uint32 {
	crc := crc32.Update(s.crc, crc32.IEEETable, s.chunk[s.crcAt:s.at])
	s.crc, s.crcAt = 0, s.at
	return crc
}

// finish reads and checks the pack's trailer, and that nothing follows it:
// nothing that has come along, or nothing at all if eof is set.
func (s *source) finish(eof bool) (sum []byte, err error) {
	rest := bytes.Clone(s.chunk[s.at:min(s.n, s.at+hashSize+1)])
	if err := s.spool.put(s.chunk[:s.at]); err != nil {
		return nil, err
	}
	s.base, s.chunk, s.at, s.n, s.crcAt = s.offset(), make([]byte, tailSize), 0, len(rest), 0
	copy(s.chunk, rest)
	if sum, err = s.spool.close(); err != nil {
		return nil, err
	}
	var got [hashSize]byte
	if _, err := io.ReadFull(s, got[:]); err != nil {
		return nil, noEOF(err)
	}
	if !bytes.Equal(got[:], sum) {
		return nil, fmt.Errorf("%w: checksum does not match", ErrBadPack)
	}
	junk := fmt.Errorf("%w: data behind its end", ErrBadPack)
	if s.at < s.n {
		return nil, junk
	}
	if eof {
		switch _, err := s.ReadByte(); {
		case err == nil:
			return nil, junk
		case errors.Is(err, ErrLimit):
			return nil, junk
		case !errors.Is(err, io.EOF):
			return nil, err
		}
	}
	_, err = s.spool.out.Write(sum)
	return sum, err
}
