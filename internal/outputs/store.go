package outputs

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	defaultMax  = 1 << 20
	defaultKeep = 200
)

// Config configures a [Store].
type Config struct {
	Dir      string      // one directory an app below it; required
	MaxBytes int64       // what is kept of one output; 1 MiB if zero
	Keep     int         // outputs of one app; 200 if zero
	Log      *zap.Logger // nothing is logged if nil
}

// A Store keeps the outputs of all apps.
type Store struct {
	cfg Config
	log *zap.Logger

	mu   sync.Mutex
	live map[string]*Output // those being written, by path
}

// Open returns a store. It holds nothing that had to be closed.
func Open(cfg Config) (*Store, error) {
	cfg.MaxBytes = cmp.Or(cfg.MaxBytes, defaultMax)
	cfg.Keep = cmp.Or(cfg.Keep, defaultKeep)
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open outputs: %w", err)
	}
	return &Store{cfg: cfg, log: cfg.Log.Named("outputs"), live: map[string]*Output{}}, nil
}

// Create begins an output. One that cannot be kept is logged, and can be written
// to all the same.
func (s *Store) Create(app, name string) *Output {
	out := &Output{store: s, app: app, max: s.cfg.MaxBytes, more: make(chan struct{})}
	path, err := s.path(app, name)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err == nil {
		s.prune(filepath.Dir(path))
		out.file, err = os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	}
	if err != nil {
		s.log.Warn("output not kept", zap.String("app", app), zap.Error(err))
		return out
	}
	out.path = path
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live[path] = out
	return out
}

// Exists reports whether an output is kept.
func (s *Store) Exists(app, name string) bool {
	path, err := s.path(app, name)
	if err != nil {
		return false
	}
	_, err = os.Stat(path)
	return err == nil
}

// Remove deletes the outputs of an app.
func (s *Store) Remove(app string) error {
	path, err := s.path(app, "any")
	if err == nil {
		err = os.RemoveAll(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("remove outputs of %s: %w", app, err)
	}
	return nil
}

var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,99}$`)

func (s *Store) path(app, name string) (string, error) {
	if !validName.MatchString(app) || !validName.MatchString(name) {
		return "", fmt.Errorf("output %.80q of %.80q: %w", name, app, ErrName)
	}
	return filepath.Join(s.cfg.Dir, app, name), nil
}

func (s *Store) writing(path string) *Output {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live[path]
}

func (s *Store) forget(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, path)
}

// prune makes room for one more output in an app's directory.
func (s *Store) prune(dir string) {
	if err := s.pruneOldest(dir); err != nil {
		s.log.Warn("old outputs not removed", zap.String("dir", dir), zap.Error(err))
	}
}

func (s *Store) pruneOldest(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) < s.cfg.Keep {
		return nil
	}
	type output struct {
		path string
		at   time.Time
	}
	var all []output
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		all = append(all, output{filepath.Join(dir, e.Name()), info.ModTime()})
	}
	slices.SortFunc(all, func(a, b output) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.path, b.path)) })
	over := len(all) - s.cfg.Keep + 1
	for _, o := range all {
		if over <= 0 {
			break
		}
		if s.writing(o.path) != nil {
			continue
		}
		if err := os.Remove(o.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		over--
	}
	return nil
}
