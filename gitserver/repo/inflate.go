package repo

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zlib"

	"slipway/gitserver/inflate"
)

var errInflate = errors.New("bad zlib data")

// An inflater undoes zlib. It is used by one goroutine.
type inflater struct {
	flat inflate.Decoder // for streams that are in memory
	zr   io.ReadCloser   // for others
	one  [1]byte
}

var inflaters = sync.Pool{New: func() any { return new(inflater) }}

func (z *inflater) reset(r io.Reader) error {
	if z.zr == nil {
		zr, err := zlib.NewReader(r)
		if err != nil {
			return inflateError(err)
		}
		z.zr = zr
		return nil
	}
	return inflateError(z.zr.(zlib.Resetter).Reset(r, nil))
}

// flatten inflates a stream that is src and nothing else.
func (z *inflater) flatten(dst, src []byte) error {
	n, err := z.flat.Zlib(dst, src)
	switch {
	case errors.Is(err, inflate.ErrShort):
		return io.ErrUnexpectedEOF
	case err != nil:
		return fmt.Errorf("%w: %w", errInflate, err)
	case n != len(src):
		return fmt.Errorf("%w: ends before the entry does", errInflate)
	}
	return nil
}

// fill inflates one whole stream from r, which must be exactly as long as dst.
// r is read no further than the stream's end if it is a *bufio.Reader or a
// *bytes.Reader.
func (z *inflater) fill(dst []byte, r io.Reader) error {
	if br, ok := r.(*bufio.Reader); ok {
		ahead, _ := br.Peek(br.Buffered()) // cannot fail
		if n, err := z.flat.Zlib(dst, ahead); err == nil {
			_, err = br.Discard(n)
			return err
		}
	}
	if err := z.reset(r); err != nil {
		return err
	}
	if _, err := io.ReadFull(z.zr, dst); err != nil {
		return inflateError(noEOF(err))
	}
	return z.end()
}

// end checks that the stream is over, its checksum included.
func (z *inflater) end() error {
	for range 3 {
		switch n, err := z.zr.Read(z.one[:]); {
		case n > 0:
			return fmt.Errorf("%w: longer than its header says", errInflate)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return inflateError(err)
		}
	}
	return fmt.Errorf("%w: %w", errInflate, io.ErrNoProgress)
}

// stream inflates size bytes from r in pieces, which are only valid during the
// call of each.
func (z *inflater) stream(r io.Reader, size int64, buf []byte, each func([]byte) error) error {
	if err := z.reset(r); err != nil {
		return err
	}
	for size > 0 {
		n, err := z.zr.Read(buf[:min(size, int64(len(buf)))])
		if n > 0 {
			size -= int64(n)
			if err := each(buf[:n]); err != nil {
				return err
			}
		}
		if err != nil && (size > 0 || !errors.Is(err, io.EOF)) {
			return inflateError(noEOF(err))
		}
	}
	return z.end()
}

// inflateError marks what zlib complains about, but not the errors of the
// reader below it.
func inflateError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, zlib.ErrChecksum), errors.Is(err, zlib.ErrHeader), errors.Is(err, zlib.ErrDictionary):
		return fmt.Errorf("%w: %w", errInflate, err)
	}
	if _, ok := errors.AsType[flate.CorruptInputError](err); ok {
		return fmt.Errorf("%w: %w", errInflate, err)
	}
	return err
}

// bufReaders are for reading entries whose length on disk is unknown.
var bufReaders = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 4<<10) }}
