package repo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-git/go-git/v5/plumbing"
)

// Objects reads objects by hash: of a repository, or of a quarantine and the
// repository behind it.
type Objects struct {
	db    *odb
	front *packFile // the quarantine's pack, if any
}

func (o *Objects) find(h Hash) (place, bool, error) {
	if o.front != nil {
		if pos, ok := o.front.idx.find(h); ok {
			off, err := o.front.idx.offset(pos)
			return place{o.front, pos, off}, true, err
		}
	}
	return o.db.find(h)
}

func (o *Objects) mustFind(h Hash) (place, error) {
	pl, ok, err := o.find(h)
	if err != nil {
		return pl, fmt.Errorf("find %s: %w", h, err)
	}
	if !ok {
		return pl, fmt.Errorf("object %s: %w", h, ErrNotFound)
	}
	return pl, nil
}

// Has says whether an object is there.
func (o *Objects) Has(h Hash) (bool, error) {
	_, ok, err := o.find(h)
	return ok, err
}

// Type is an object's type. The error is ErrNotFound if it is not there.
func (o *Objects) Type(h Hash) (ObjectType, error) {
	pl, l, err := o.open(h)
	if err != nil {
		return 0, err
	}
	if l != nil {
		return l.kind, l.Close()
	}
	return pl.pack.kind(pl.off)
}

// Stat is an object's type and inflated size. The error is ErrNotFound if it
// is not there.
func (o *Objects) Stat(h Hash) (ObjectType, int64, error) {
	pl, l, err := o.open(h)
	if err != nil {
		return 0, 0, err
	}
	if l != nil {
		return l.kind, l.size, l.Close()
	}
	e, err := pl.pack.head(pl.off)
	if err != nil {
		return 0, 0, err
	}
	size, err := pl.pack.sizeOf(pl.off, &e)
	if err != nil || !isDelta(e.kind) {
		return e.kind, size, err
	}
	kind, err := pl.pack.kind(pl.off)
	return kind, size, err
}

// open finds an object in a pack, or opens it if it is loose.
func (o *Objects) open(h Hash) (place, *looseFile, error) {
	for range 3 {
		pl, err := o.mustFind(h)
		if err != nil || !pl.loose() {
			return pl, nil, err
		}
		l, err := openLoose(o.db.dir, h)
		if !isNotExist(err) {
			return pl, l, err
		}
		// `git gc` has packed it just now.
		if _, err := o.db.refresh(); err != nil {
			return pl, nil, err
		}
	}
	return place{}, nil, fmt.Errorf("object %s: %w", h, ErrNotFound)
}

// Object reads an object whole, up to MaxObjectSize. The bytes are shared and
// are not to be modified.
func (o *Objects) Object(h Hash) (ObjectType, []byte, error) {
	return o.object(h, o.db.limit)
}

func (o *Objects) object(h Hash, limit int64) (ObjectType, []byte, error) {
	pl, l, err := o.open(h)
	if err != nil {
		return 0, nil, err
	}
	if l == nil {
		return pl.pack.object(o.db.cache, pl.off, limit)
	}
	defer l.Close() //nolint:errcheck // only read
	if limit >= 0 && l.size > limit {
		return 0, nil, fmt.Errorf("%w: object %s of %d bytes", ErrLimit, h, l.size)
	}
	data, err := io.ReadAll(l)
	return l.kind, data, err
}

// typed reads an object that has to be of type t.
func (o *Objects) typed(h Hash, t ObjectType) ([]byte, error) {
	kind, data, err := o.Object(h)
	if err != nil {
		return nil, err
	}
	if kind != t {
		return nil, fmt.Errorf("%w: %s is a %s, not a %s", ErrType, h, kind, t)
	}
	return data, nil
}

// Blob opens a blob for reading and returns its size; big ones are streamed,
// unless they are stored as a delta. The caller closes it.
func (o *Objects) Blob(h Hash) (io.ReadCloser, int64, error) {
	pl, l, err := o.open(h)
	if err != nil {
		return nil, 0, err
	}
	if l != nil {
		if l.kind != plumbing.BlobObject {
			l.Close() //nolint:errcheck // only read
			return nil, 0, fmt.Errorf("%w: %s is a %s, not a blob", ErrType, h, l.kind)
		}
		return l, l.size, nil
	}
	const small = 1 << 20
	e, err := pl.pack.head(pl.off)
	if err != nil {
		return nil, 0, err
	}
	if e.kind == plumbing.BlobObject && e.size > small {
		return pl.pack.stream(pl.off, &e)
	}
	data, err := o.typed(h, plumbing.BlobObject)
	if err != nil {
		return nil, 0, err
	}
	return io.NopCloser(bytes.NewReader(data)), int64(len(data)), nil
}

// stream opens the undeltified entry at off.
func (p *packFile) stream(off int64, e *entryHead) (io.ReadCloser, int64, error) {
	r, done, err := p.inflate(off + int64(e.len))
	if err != nil {
		return nil, 0, p.corrupt(off, err)
	}
	return &packStream{r: r, left: e.size, done: done, bad: func(err error) error { return p.corrupt(off, err) }}, e.size, nil
}

type packStream struct {
	r    io.Reader
	left int64
	done func()
	bad  func(error) error
}

// Read reads the content.
func (s *packStream) Read(b []byte) (int, error) {
	if s.done == nil {
		return 0, os.ErrClosed
	}
	if s.left == 0 {
		return 0, io.EOF
	}
	n, err := s.r.Read(b[:min(int64(len(b)), s.left)])
	s.left -= int64(n)
	if s.left == 0 {
		// The checksum comes with the end.
		var one [1]byte
		if _, err := s.r.Read(one[:]); !errors.Is(err, io.EOF) {
			return n, s.bad(errInflate)
		}
		return n, nil
	}
	if err != nil {
		err = s.bad(noEOF(err))
	}
	return n, err
}

// Close gives the buffers back; it may be called twice.
func (s *packStream) Close() error {
	if s.done != nil {
		s.done()
		s.done = nil
	}
	return nil
}
