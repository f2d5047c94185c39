package sources

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// life is how long a place is kept.
	life = time.Hour
	// maxPlaces is how many there are at most; the oldest that nothing was
	// uploaded to goes first.
	maxPlaces = 1000
	// defaultMax bounds an upload, and room all uploads together, in uploads.
	defaultMax = 1 << 30
	room       = 4
)

// Config configures a [Store].
type Config struct {
	Dir      string           // emptied when the store is opened; required
	MaxBytes int64            // of one upload; 1 GiB if zero. All together take four times as much at most.
	Now      func() time.Time // time.Now if nil
}

// A Store keeps uploads until they are built or expire.
type Store struct {
	cfg Config

	mu     sync.Mutex
	places map[string]*place // by token
	used   int64             // bytes on disk, or on their way
}

// A place is where somebody may upload a tarball.
type place struct {
	path    string // "" if there is none yet
	size    int64
	expires time.Time
}

// Open returns an empty store.
func Open(cfg Config) (*Store, error) {
	cfg.MaxBytes = cmp.Or(cfg.MaxBytes, defaultMax)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	err := os.RemoveAll(cfg.Dir)
	if err == nil {
		err = os.MkdirAll(cfg.Dir, 0o700)
	}
	if err != nil {
		return nil, fmt.Errorf("open sources: %w", err)
	}
	return &Store{cfg: cfg, places: map[string]*place{}}, nil
}

// Create makes a place and returns its token, which is a secret: who has it may
// upload, and read what was uploaded.
func (s *Store) Create() (token string, err error) {
	if err := s.Sweep(); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.places) >= maxPlaces && !s.dropUnused() {
		return "", ErrFull
	}
	token = rand.Text()
	s.places[token] = &place{expires: s.cfg.Now().Add(life)}
	return token, nil
}

// dropUnused makes room for another place. The mutex is held.
func (s *Store) dropUnused() bool {
	oldest := ""
	for token, p := range s.places {
		if p.path == "" && (oldest == "" || p.expires.Before(s.places[oldest].expires)) {
			oldest = token
		}
	}
	delete(s.places, oldest)
	return oldest != ""
}

// Put uploads a tarball, in the place of one that was there.
func (s *Store) Put(token string, body io.Reader) error {
	if !s.Has(token) {
		return ErrNotFound
	}
	f, err := os.CreateTemp(s.cfg.Dir, "upload-")
	if err != nil {
		return fmt.Errorf("store source: %w", err)
	}
	size, err := s.receive(f, body)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = s.keep(token, f.Name(), size)
	}
	if err != nil {
		s.release(size)
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// receive copies an upload to its file, and counts its bytes while they come.
func (s *Store) receive(f *os.File, body io.Reader) (size int64, err error) {
	buf := make([]byte, 256<<10)
	for {
		n, err := body.Read(buf)
		if n > 0 {
			if taken := s.take(int64(n)); !taken {
				return size, ErrFull
			}
			if size += int64(n); size > s.cfg.MaxBytes {
				return size, ErrTooLarge
			}
			if _, err := f.Write(buf[:n]); err != nil {
				return size, fmt.Errorf("store source: %w", err)
			}
		}
		if errors.Is(err, io.EOF) {
			return size, nil
		}
		if err != nil {
			return size, refuse("the upload broke off: send the source again")
		}
	}
}

func (s *Store) take(n int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used+n > room*s.cfg.MaxBytes {
		return false
	}
	s.used += n
	return true
}

func (s *Store) release(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used -= n
}

// keep makes an upload that of its place.
func (s *Store) keep(token, path string, size int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.places[token]
	if p == nil || s.cfg.Now().After(p.expires) {
		return ErrNotFound
	}
	old, oldSize := p.path, p.size
	p.path, p.size = path, size
	s.used -= oldSize
	return remove(old)
}

// Has reports whether there is a place with a token.
func (s *Store) Has(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.places[token]
	return p != nil && !s.cfg.Now().After(p.expires)
}

// Get opens what was uploaded. The file can be read to its end whatever happens
// to its place.
func (s *Store) Get(token string) (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.places[token]
	switch {
	case p == nil || s.cfg.Now().After(p.expires):
		return nil, ErrNotFound
	case p.path == "":
		return nil, ErrEmpty
	}
	f, err := os.Open(p.path)
	if err != nil {
		return nil, fmt.Errorf("open source: %w", err)
	}
	return f, nil
}

// Sweep removes what has expired. Call it now and then.
func (s *Store) Sweep() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for token, p := range s.places {
		if s.cfg.Now().After(p.expires) {
			errs = append(errs, remove(p.path))
			s.used -= p.size
			delete(s.places, token)
		}
	}
	return errors.Join(errs...)
}

// remove deletes the file of an upload, if there is one.
func remove(path string) error {
	if path == "" {
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove source %s: %w", filepath.Base(path), err)
	}
	return nil
}
