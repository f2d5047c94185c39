package outputs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"go.uber.org/zap"
)

// cut is the last line of an output of which only the beginning is kept.
const cut = "\n !     The rest of this output is not kept: there is more of it than the server keeps.\n"

// An Output is being written.
type Output struct {
	store *Store
	app   string
	path  string // "" if it is not kept
	max   int64

	mu    sync.Mutex
	file  *os.File // nil if it is not kept, or no more is
	size  int64
	ended bool
	more  chan struct{} // closed when there is more, or the end
}

var _ io.WriteCloser = (*Output)(nil)

// Write keeps what is written, as far as it can. It never fails.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.file == nil {
		return len(p), nil
	}
	kept := p
	full := int64(len(p)) > o.max-o.size
	if full {
		kept = append(p[:o.max-o.size:o.max-o.size], cut...)
	}
	n, err := o.file.Write(kept)
	o.size += int64(n)
	if err != nil {
		o.store.log.Warn("output ends early", zap.String("app", o.app), zap.Error(err))
	}
	if full || err != nil {
		o.closeFile()
	}
	o.wake()
	return len(p), nil
}

// Close ends the output, and with it whoever follows it. It never fails, and may
// be called again.
func (o *Output) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		return nil
	}
	o.closeFile()
	o.ended = true
	o.store.forget(o.path)
	o.wake()
	return nil
}

// KeepAs ends the output and gives it another name, unless it was discarded.
func (o *Output) KeepAs(name string) {
	o.finish(func(path string) error {
		to, err := o.store.path(o.app, name)
		if err != nil {
			return err
		}
		return os.Rename(path, to)
	})
}

// Discard ends the output and deletes it, unless it was kept under another name.
func (o *Output) Discard() { o.finish(os.Remove) }

// finish ends the output, and does the last thing to its file.
func (o *Output) finish(do func(path string) error) {
	_ = o.Close() // never fails
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.path == "" {
		return
	}
	if err := do(o.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		o.store.log.Warn("output left for later", zap.String("output", filepath.Base(o.path)), zap.Error(err))
	}
	o.path = ""
}

// closeFile stops keeping. The mutex is held.
func (o *Output) closeFile() {
	if o.file == nil {
		return
	}
	if err := o.file.Close(); err != nil {
		o.store.log.Warn("output not closed", zap.String("app", o.app), zap.Error(err))
	}
	o.file = nil
}

// wake tells those who follow. The mutex is held.
func (o *Output) wake() {
	close(o.more)
	o.more = make(chan struct{})
}

// state is whether the output has ended, as one has that nobody writes, and what
// is closed when there is more.
func (o *Output) state() (ended bool, more <-chan struct{}) {
	if o == nil {
		return true, nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ended, o.more
}
