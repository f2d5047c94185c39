package logs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

const (
	defaultMax = 4 << 20
	minMax     = 256 << 10 // each of the segments must hold a record

	maxPending  = 1 << 20  // waits for the disk, for one app
	maxBuffered = 64 << 20 // the same for all apps

	flushEvery = 10 * time.Millisecond
	patience   = 100 * time.Millisecond // how long Append waits for the disk
	idleAfter  = 10 * time.Second
)

// Config configures a [Store].
type Config struct {
	Dir      string      // one directory an app below it; required
	MaxBytes int64       // of one app's log on disk; 4 MiB if zero, 256 KiB at least
	Log      *zap.Logger // nothing is logged if nil
}

// A Store keeps the logs of all apps.
type Store struct {
	dir  string
	max  int64
	log  *zap.Logger
	work sync.WaitGroup
	stop chan struct{} // closed by Close

	wake     chan struct{} // there is something to flush
	urgent   chan struct{} // there is much
	buffered atomic.Int64  // bytes that wait for the disk
	warned   atomic.Int64  // when lost lines were last logged, Unix seconds

	mu      sync.RWMutex
	streams map[string]*stream // those in use
	closed  bool

	dirtyMu sync.Mutex
	dirty   []*stream
}

// Open starts a store. Close ends it.
func Open(cfg Config) (*Store, error) {
	s := &Store{
		dir: cfg.Dir, max: cfg.MaxBytes, log: cfg.Log,
		stop: make(chan struct{}), wake: make(chan struct{}, 1), urgent: make(chan struct{}, 1),
		streams: map[string]*stream{},
	}
	if s.max == 0 {
		s.max = defaultMax
	}
	s.max = max(s.max, minMax)
	if s.log == nil {
		s.log = zap.NewNop()
	}
	s.log = s.log.Named("logs")
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, fmt.Errorf("open logs: %w", err)
	}
	s.work.Go(s.run)
	return s, nil
}

// Append adds lines to an app's log. A text with line ends becomes more than
// one line, as does one longer than MaxLine. A line without a time gets the
// present. Append does not wait for the disk, except for a moment when it is
// behind; after that, lines are dropped and their number is logged in their
// place. Lines for an impossible app or a closed store are dropped.
func (s *Store) Append(app string, lines ...Line) {
	for {
		st, err := s.stream(app)
		if err != nil {
			s.log.Debug("lines dropped", zap.String("app", app), zap.Error(err))
			return
		}
		if lines = st.append(lines); len(lines) == 0 {
			return
		}
	}
}

// stream is an app's stream, which is in use from now on.
func (s *Store) stream(app string) (*stream, error) {
	s.mu.RLock()
	st := s.streams[app]
	s.mu.RUnlock()
	if st != nil {
		return st, nil
	}
	if !validName(app) {
		return nil, fmt.Errorf("app %.40q: %w", app, ErrName)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streamLocked(app)
}

func (s *Store) streamLocked(app string) (*stream, error) {
	if s.closed {
		return nil, ErrClosed
	}
	st := s.streams[app]
	if st == nil {
		st = newStream(s, app)
		s.streams[app] = st
	}
	return st, nil
}

// acquire is like stream, for somebody who reads until release.
func (s *Store) acquire(app string) (*stream, error) {
	if !validName(app) {
		return nil, fmt.Errorf("app %.40q: %w", app, ErrName)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.streamLocked(app)
	if err == nil {
		st.readers++
	}
	return st, err
}

func (s *Store) release(st *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st.readers--
}

// validName keeps anything that means something to a file system out.
func validName(app string) bool {
	if app == "" || len(app) > maxName {
		return false
	}
	for _, b := range []byte(app) {
		if (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '-' {
			return false
		}
	}
	return true
}

// Remove deletes an app's log. Who follows it sees it end.
func (s *Store) Remove(app string) error {
	st, err := s.stream(app)
	if err != nil {
		return fmt.Errorf("remove log: %w", err)
	}
	err = st.remove()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams[app] == st {
		delete(s.streams, app)
	}
	if err != nil {
		return fmt.Errorf("remove log of %s: %w", app, err)
	}
	return nil
}

// Close writes what is left and closes all files. Who follows a log sees
// ErrClosed.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.stop)
	s.mu.Unlock()
	s.work.Wait()
	var errs []error
	for _, st := range s.all() {
		errs = append(errs, st.close())
	}
	return errors.Join(errs...)
}

// all are the streams in use.
func (s *Store) all() []*stream {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]*stream, 0, len(s.streams))
	for _, st := range s.streams {
		all = append(all, st)
	}
	return all
}

func (s *Store) path(app string) string { return filepath.Join(s.dir, app) }
