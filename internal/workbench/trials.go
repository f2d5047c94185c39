package workbench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"slipway/buildpacks/detector"
)

// Trials detect in an app of which only some units are there.
type trials interface {
	detect(ctx context.Context, kept []bool) (*detector.Report, error)
	close()
}

func newTrials(ctx context.Context, d Detector, app fs.FS, units []string, o detector.Options) (trials, error) {
	if d.InProcess() {
		return &viewTrials{d: d, app: app, units: units, options: o}, nil
	}
	s := &stage{d: d, source: app, units: units, options: o, in: make([]bool, len(units))}
	var err error
	if s.root, err = os.MkdirTemp("", "slipway-shrink-"); err != nil {
		return nil, fmt.Errorf("make a directory for a copy of the app: %w", err)
	}
	if err := s.fill(ctx); err != nil {
		s.close()
		return nil, fmt.Errorf("copy the app: %w", err)
	}
	return s, nil
}

// viewTrials are trials without a copy.
type viewTrials struct {
	d       Detector
	app     fs.FS
	units   []string
	options detector.Options
}

func (t *viewTrials) detect(ctx context.Context, kept []bool) (*detector.Report, error) {
	return t.d.DetectFS(ctx, subset(t.app, t.units, kept), t.options)
}

func (t *viewTrials) close() {}

// A stage is a copy of the app, part of which is put aside. Going from one trial
// to the next costs as much as the difference.
type stage struct {
	d       Detector
	source  fs.FS
	units   []string
	options detector.Options

	root string
	in   []bool                 // which units are in the app
	was  map[string]fs.FileInfo // of files, as they were copied
}

func (s *stage) app(name string) string {
	return filepath.Join(s.root, "app", filepath.FromSlash(name))
}

func (s *stage) aside(name string) string {
	return filepath.Join(s.root, "aside", filepath.FromSlash(name))
}

func (s *stage) close() { _ = os.RemoveAll(s.root) } // it is in the way of nothing

// fill copies the whole app, again if need be.
func (s *stage) fill(ctx context.Context) error {
	for _, dir := range []string{s.app(""), s.aside("")} {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	if err := copyTree(ctx, s.source, s.app("")); err != nil {
		return err
	}
	s.was = make(map[string]fs.FileInfo, len(s.units))
	for i, unit := range s.units {
		info, err := os.Lstat(s.app(unit))
		if err != nil {
			return err
		}
		s.in[i], s.was[strings.TrimSuffix(unit, "/")] = true, info
	}
	return nil
}

func (s *stage) detect(ctx context.Context, kept []bool) (*detector.Report, error) {
	if err := s.set(kept); err != nil {
		return nil, fmt.Errorf("put files of a copy of the app aside: %w", err)
	}
	r, err := s.d.Detect(ctx, s.app(""), s.options)
	// In a whole sandbox a script cannot change the copy; else it is looked at.
	if err == nil && r.Sandbox.How != "sandbox" && !s.untouched() {
		err = s.fill(ctx)
	}
	return r, err
}

// set puts units aside and back.
func (s *stage) set(kept []bool) error {
	for i, unit := range s.units {
		if s.in[i] == kept[i] {
			continue
		}
		name := strings.TrimSuffix(unit, "/")
		from, to := s.app, s.aside
		if kept[i] {
			from, to = to, from
		}
		if err := os.MkdirAll(filepath.Dir(to(name)), 0o755); err != nil {
			return err
		}
		if err := move(from(name), to(name), s.was[name].Mode()); err != nil {
			return err
		}
		s.in[i] = kept[i]
		for above := path.Dir(name); above != "." && os.Remove(from(above)) == nil; above = path.Dir(above) {
		}
	}
	return nil
}

// move renames a file. A directory that nobody may write to cannot be moved.
func move(from, to string, mode fs.FileMode) error {
	err := os.Rename(from, to)
	if !mode.IsDir() || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return errors.Join(os.Chmod(from, 0o700), os.Rename(from, to), os.Chmod(to, mode.Perm()))
}

// untouched tells whether a script left the copy as it was.
func (s *stage) untouched() bool {
	errTouched := errors.New("touched")
	seen, dirs := 0, parents(s.units, s.in)
	err := filepath.WalkDir(s.app(""), func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(s.app(""), at)
		if err != nil {
			return err
		}
		was, known := s.was[filepath.ToSlash(name)]
		if entry.IsDir() && dirs[filepath.ToSlash(name)] {
			return nil
		}
		if !known {
			return errTouched
		}
		seen++
		info, err := entry.Info()
		if err != nil || info.Mode() != was.Mode() || !entry.IsDir() && (info.Size() != was.Size() || !info.ModTime().Equal(was.ModTime())) {
			return errors.Join(errTouched, err)
		}
		return nil
	})
	return err == nil && seen == count(s.in)
}
