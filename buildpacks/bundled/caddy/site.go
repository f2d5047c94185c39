package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
)

func init() { caddy.RegisterModule(new(Site)) }

// etagSuffix names files that are not there: for the file server, what they say
// is the entity tag of the file whose name they extend.
const etagSuffix = ".slipway-etag"

// A Site is the files of a static site in an image. It differs from a directory
// in what an image makes of files, and in what a site is not to show:
//
//   - All files of an image have the same time, so it has none here, and entity
//     tags are made of the content.
//   - Symbolic links lead nowhere outside Root.
//   - Names that begin with a dot are not there, but for .well-known, nor are
//     those of Hide.
//   - The compressed forms of a file lie in another directory.
type Site struct {
	Root       string   `json:"root"`                 // directory of the site
	Compressed string   `json:"compressed,omitempty"` // directory of NAME.br and NAME.gz; none if empty
	Hide       []string `json:"hide,omitempty"`       // names at the top that are not there either

	root, compressed *os.Root

	mu   sync.Mutex
	tags map[string]string // by name; files do not change
}

var (
	_ fs.StatFS          = (*Site)(nil)
	_ caddy.Provisioner  = (*Site)(nil)
	_ caddy.CleanerUpper = (*Site)(nil)
)

// CaddyModule describes the module.
func (*Site) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.fs.slipway_site", New: func() caddy.Module { return new(Site) }}
}

// Provision opens the directories.
func (s *Site) Provision(caddy.Context) (err error) {
	s.tags = map[string]string{}
	if s.root, err = os.OpenRoot(s.Root); err != nil {
		return fmt.Errorf("open the site: %w", err)
	}
	if s.Compressed == "" {
		return nil
	}
	s.compressed, err = os.OpenRoot(s.Compressed)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("open the compressed files of the site: %w", err)
	}
	return nil
}

// Cleanup closes them.
func (s *Site) Cleanup() error {
	var err error
	for _, root := range []*os.Root{s.root, s.compressed} {
		if root != nil {
			err = errors.Join(err, root.Close())
		}
	}
	return err
}

// Open opens a file; slashes around its name do not matter.
func (s *Site) Open(name string) (fs.File, error) {
	name = strings.Trim(name, "/")
	if name == "" {
		name = "."
	}
	if !fs.ValidPath(name) || s.hidden(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if of, ok := strings.CutSuffix(name, etagSuffix); ok {
		return s.openTag(of)
	}
	f, err := s.open(name)
	if err != nil {
		return nil, err
	}
	return file{f}, nil
}

// Stat describes a file.
func (s *Site) Stat(name string) (fs.FileInfo, error) {
	f, err := s.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	return info, errors.Join(err, f.Close())
}

func (s *Site) open(name string) (*os.File, error) {
	if ext := path.Ext(name); s.compressed != nil && (ext == ".br" || ext == ".gz") {
		if f, err := s.compressed.Open(name); err == nil {
			return f, nil
		}
	}
	f, err := s.root.Open(name)
	if err != nil {
		// A link that leads out of the site, say: nothing is told of it.
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return f, nil
}

func (s *Site) hidden(name string) bool {
	top := true
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") && part != "." && (!top || part != ".well-known") || top && slices.Contains(s.Hide, part) {
			return true
		}
		top = false
	}
	return false
}

// openTag opens the entity tag of a file.
func (s *Site) openTag(name string) (fs.File, error) {
	s.mu.Lock()
	tag, ok := s.tags[name]
	s.mu.Unlock()
	if !ok {
		f, err := s.open(name)
		if err != nil {
			return nil, err
		}
		h := sha256.New()
		_, err = io.Copy(h, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		tag = `"` + hex.EncodeToString(h.Sum(nil)[:12]) + `"`
		s.mu.Lock()
		s.tags[name] = tag
		s.mu.Unlock()
	}
	return &tagFile{Reader: bytes.NewReader([]byte(tag)), name: path.Base(name) + etagSuffix}, nil
}

// A file is a file of the site, without its time.
type file struct{ *os.File }

// Stat describes the file.
func (f file) Stat() (fs.FileInfo, error) {
	info, err := f.File.Stat()
	if err != nil {
		return nil, err
	}
	return timeless{info}, nil
}

type timeless struct{ fs.FileInfo }

// ModTime is the one that the file server takes for none.
func (timeless) ModTime() time.Time { return time.Unix(0, 0) }

// A tagFile is an entity tag.
type tagFile struct {
	*bytes.Reader
	name string
}

var _ fs.FileInfo = (*tagFile)(nil)

// Stat describes the file.
func (f *tagFile) Stat() (fs.FileInfo, error) { return f, nil }

// Close does nothing.
func (f *tagFile) Close() error { return nil }

// Name is the name of the file.
func (f *tagFile) Name() string { return f.name }

// Mode is that of a file.
func (f *tagFile) Mode() fs.FileMode { return 0o444 }

// ModTime is none.
func (f *tagFile) ModTime() time.Time { return time.Unix(0, 0) }

// IsDir says no.
func (f *tagFile) IsDir() bool { return false }

// Sys is nil.
func (f *tagFile) Sys() any { return nil }
