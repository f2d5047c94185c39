package outputs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
)

// chunk is how much is read at once.
const chunk = 32 << 10

// Follow reads an output from a byte on, and goes on as it comes until it ends
// or ctx is done. A chunk with an error is the last one, and each is good only
// until the next; an output that is not kept is [ErrNotFound].
func (s *Store) Follow(ctx context.Context, app, name string, from int64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if err := s.follow(ctx, app, name, from, func(b []byte) bool { return yield(b, nil) }); err != nil {
			yield(nil, err)
		}
	}
}

func (s *Store) follow(ctx context.Context, app, name string, from int64, yield func([]byte) bool) error {
	path, err := s.path(app, name)
	if err != nil {
		return errors.Join(ErrNotFound, err)
	}
	out := s.writing(path) // looked for first: a file of which there is none is whole
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("output %s of %s: %w", name, app, ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("read output of %s: %w", app, err)
	}
	defer func() { _ = f.Close() }() // it was only read
	buf := make([]byte, chunk)
	for {
		ended, more := out.state() // before the read, so that nothing comes unseen
		n, err := f.ReadAt(buf, from)
		from += int64(n)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read output of %s: %w", app, err)
		}
		switch {
		case n > 0:
			if ctx.Err() != nil || !yield(buf[:n]) {
				return nil
			}
		case ended:
			return nil
		default:
			select {
			case <-ctx.Done():
				return nil
			case <-more:
			}
		}
	}
}

// Size is how much there is of an output so far, and whether that is all.
func (s *Store) Size(app, name string) (size int64, ended bool, err error) {
	path, err := s.path(app, name)
	if err != nil {
		return 0, true, errors.Join(ErrNotFound, err)
	}
	out := s.writing(path)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, true, fmt.Errorf("output %s of %s: %w", name, app, ErrNotFound)
	}
	if err != nil {
		return 0, true, fmt.Errorf("look at output of %s: %w", app, err)
	}
	return info.Size(), out == nil, nil
}
