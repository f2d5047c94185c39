package logs

import (
	"bytes"
	"errors"
	"os"
	"sync"
	"time"
)

// A view is what may be read: the segments, up to the last whole record.
type view struct {
	list  []segment
	end   int64
	lines int64
}

// A stream is the log of one app in use. Locks are taken in the order disk,
// the store's mu, mu.
type stream struct {
	app   string
	store *Store

	disk   sync.Mutex // held while the files change
	files  segments
	loaded bool

	readers int // guarded by the store's mu

	mu sync.Mutex
	pending
	view    view
	grown   chan struct{} // closed when view or gone changes; nil if nobody waits
	used    time.Time     // when something was last written
	retired bool          // no longer the app's stream in the store
	gone    error         // why nothing more will come
}

func newStream(s *Store, app string) *stream {
	return &stream{app: app, store: s, used: time.Now(), files: segments{dir: s.path(app), max: s.max}}
}

// flush writes what is pending. What cannot be written is lost, and counted.
func (st *stream) flush() error {
	st.disk.Lock()
	defer st.disk.Unlock()
	return st.flushLocked()
}

// ready has everything on disk for a reader. One that cannot be written to, for
// it is full, can still be read.
func (st *stream) ready() error {
	st.disk.Lock()
	defer st.disk.Unlock()
	err := st.flushLocked()
	if err != nil && st.loaded {
		st.store.warn(st.app, err)
		err = nil
	}
	return err
}

func (st *stream) flushLocked() error {
	st.mu.Lock()
	records, lost := st.take(st.store)
	st.mu.Unlock()
	err := st.load()
	n := 0
	if err == nil && records != nil {
		n, err = st.files.write(*records)
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if records != nil {
		if err != nil {
			if lost > 0 {
				lost-- // the notice, which is one of records
			}
			st.drop(lost + bytes.Count((*records)[n:], []byte("\n")))
		}
		st.written(st.store, records)
		st.used = time.Now()
	}
	st.show()
	return err
}

// load looks at the disk once.
func (st *stream) load() error {
	if st.loaded {
		return nil
	}
	if err := st.files.load(); err != nil {
		return err
	}
	st.loaded = true
	return nil
}

// show tells readers how far they can read.
func (st *stream) show() {
	grown := st.view.end != st.files.end
	st.view = view{list: st.files.list, end: st.files.end, lines: st.files.lines}
	if grown {
		st.wakeReaders()
	}
}

func (st *stream) wakeReaders() {
	if st.grown != nil {
		close(st.grown)
		st.grown = nil
	}
}

// now is what can be read at present.
func (st *stream) now() view {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.view
}

// settle waits until the view and the disk agree.
func (st *stream) settle() view {
	st.disk.Lock()
	defer st.disk.Unlock()
	return st.now()
}

// more returns a channel that is closed when there is something behind pos, or
// nil if there is; and an error if there never will be.
func (st *stream) more(pos int64) (<-chan struct{}, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.view.end > pos {
		return nil, nil
	}
	if st.gone != nil {
		return nil, st.gone
	}
	if st.grown == nil {
		st.grown = make(chan struct{})
	}
	return st.grown, nil
}

// rest closes the files if the app is idle, and retires the stream if nobody
// reads it either.
func (st *stream) rest() error {
	if !st.disk.TryLock() {
		return nil
	}
	defer st.disk.Unlock()
	if !st.idle() {
		return st.flushLocked() // lines lost to a full disk are still to be told of
	}
	err := st.files.close(true)
	st.store.mu.Lock()
	defer st.store.mu.Unlock()
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.readers == 0 && st.empty() && st.store.streams[st.app] == st {
		st.retired = true
		delete(st.store.streams, st.app)
	}
	return err
}

func (st *stream) idle() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.empty() && time.Since(st.used) >= idleAfter
}

// end lets nobody wait or write any more.
func (st *stream) end(why error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.gone == nil {
		st.gone = why
	}
	st.wakeReaders()
	st.wakeWriters()
}

// remove deletes the files.
func (st *stream) remove() error {
	st.end(errGone)
	st.disk.Lock()
	defer st.disk.Unlock()
	st.mu.Lock()
	if records, _ := st.take(st.store); records != nil {
		st.written(st.store, records)
	}
	st.view = view{}
	st.mu.Unlock()
	err := errors.Join(st.files.close(false), os.RemoveAll(st.files.dir))
	// The directory may soon be another stream's.
	st.files, st.loaded = segments{dir: st.files.dir, max: st.files.max}, true
	return err
}

// close writes what is pending, and closes the files.
func (st *stream) close() error {
	st.disk.Lock()
	defer st.disk.Unlock()
	err := st.flushLocked()
	st.end(ErrClosed)
	return errors.Join(err, st.files.close(true))
}
