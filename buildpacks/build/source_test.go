package build

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/buildpacks/pack/pkg/archive"
)

func TestExtract(t *testing.T) {
	dir := t.TempDir()
	app := filepath.Join(dir, "app")
	if err := os.Mkdir(app, 0o755); err != nil {
		t.Fatal(err)
	}
	tree := fstest.MapFS{
		"Procfile":    {Data: []byte("web: run\n"), Mode: 0o644},
		"bin/run":     {Data: []byte("#!/bin/sh\n"), Mode: 0o755},
		"sub":         {Mode: fs.ModeDir | 0o755},
		"link":        {Data: []byte("bin/run"), Mode: fs.ModeSymlink | 0o777},
		"bin/outside": {Data: []byte("../../secret"), Mode: fs.ModeSymlink | 0o777},
		"a-absolute":  {Data: []byte("/etc/passwd"), Mode: fs.ModeSymlink | 0o777},
	}
	if err := extract(t.Context(), tree, app, 1000, 10); err != nil {
		t.Fatalf("extract() = %v", err)
	}
	for name, mode := range map[string]fs.FileMode{
		"Procfile": 0o644, "bin": fs.ModeDir | 0o755, "bin/run": 0o755, "sub": fs.ModeDir | 0o755,
		"link": fs.ModeSymlink | 0o777, "bin/outside": fs.ModeSymlink | 0o777, "a-absolute": fs.ModeSymlink | 0o777,
	} {
		info, err := os.Lstat(filepath.Join(app, name))
		if err != nil || info.Mode() != mode {
			t.Errorf("%s: mode %v, want %v (%v)", name, info.Mode(), mode, err)
			continue
		}
		if info.Mode()&fs.ModeSymlink == 0 && !info.ModTime().Equal(appTime) {
			t.Errorf("%s: time %v, want %v", name, info.ModTime(), appTime)
		}
	}
	if target, err := os.Readlink(filepath.Join(app, "bin/outside")); err != nil || target != "../../secret" {
		t.Errorf("bin/outside leads to %q, want ../../secret (%v)", target, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("beside the app: %v, want nothing (%v)", entries, err)
	}
}

// A bytesFS has \xe9 in its names for every # of the map's, which cannot.
type bytesFS struct{ fstest.MapFS }

func (b bytesFS) Open(name string) (fs.File, error) {
	return b.MapFS.Open(strings.ReplaceAll(name, "\xe9", "#"))
}

func (b bytesFS) ReadLink(name string) (string, error) {
	target, err := b.MapFS.ReadLink(strings.ReplaceAll(name, "\xe9", "#"))
	return strings.ReplaceAll(target, "#", "\xe9"), err
}

func (b bytesFS) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := b.MapFS.ReadDir(strings.ReplaceAll(name, "\xe9", "#"))
	for i, e := range entries {
		entries[i] = bytesEntry{e}
	}
	return entries, err
}

type bytesEntry struct{ fs.DirEntry }

func (b bytesEntry) Name() string { return strings.ReplaceAll(b.DirEntry.Name(), "#", "\xe9") }

// Names that are not UTF-8 go the whole way: to disk, and by pack's archive
// and ours into a container.
func TestExtractTakesNamesOfAnyBytes(t *testing.T) {
	dir := t.TempDir()
	tree := bytesFS{fstest.MapFS{"caf#/na#ve.txt": {Data: []byte("Latin-1")}, "l#nk": {Data: []byte("caf#"), Mode: fs.ModeSymlink | 0o777}}}
	if err := extract(t.Context(), tree, dir, 1000, 10); err != nil {
		t.Fatalf("extract() = %v", err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "l\xe9nk", "na\xe9ve.txt")); err != nil || string(data) != "Latin-1" {
		t.Errorf("the file has %q, %v", data, err)
	}
	packed := archive.ReadDirAsTar(dir, "/workspace", 0, 0, -1, true, true, nil)
	defer packed.Close()
	var joined bytes.Buffer
	if err := joinArchives(&joined, nil, map[string]string{"A": "b"}, packed); err != nil {
		t.Fatalf("joinArchives() = %v", err)
	}
	got := map[string]string{}
	for tr := tar.NewReader(&joined); ; {
		h, err := tr.Next()
		if err != nil {
			break
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			t.Error(err)
		}
		got[h.Name] = h.Linkname + string(data)
	}
	if got["/workspace/caf\xe9/na\xe9ve.txt"] != "Latin-1" || got["/workspace/l\xe9nk"] != "caf\xe9" {
		t.Errorf("the archive has %q", got)
	}
}

// An endlessFS has one file, without an end.
type endlessFS struct {
	fstest.MapFS
	read func()
}

func (e endlessFS) Open(name string) (fs.File, error) {
	f, err := e.MapFS.Open(name)
	if name == "big" {
		return endless{f, e.read}, err
	}
	return f, err
}

type endless struct {
	fs.File
	read func()
}

func (e endless) Read(p []byte) (int, error) {
	e.read()
	return len(p), nil
}

func TestExtractIsCanceledInsideAFile(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := extract(ctx, endlessFS{fstest.MapFS{"big": {}}, cancel}, t.TempDir(), 1<<40, 10)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("extract() = %v, want that it was canceled", err)
	}
}

// A tree in which a link and a folder have one name cannot come from git, but
// nothing may be written through the link even so.
type liarFS struct{ fstest.MapFS }

func (l liarFS) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := l.MapFS.ReadDir(name)
	if name == "." {
		entries = append(entries, entries...)
	}
	return entries, err
}

func TestExtractRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		tree  fs.FS
		bytes int64
		files int
	}{
		"too many bytes":              {fstest.MapFS{"a": {Data: make([]byte, 60)}, "b": {Data: make([]byte, 60)}}, 100, 10},
		"too many files":              {fstest.MapFS{"a": {}, "b": {}, "c": {}}, 100, 2},
		"too many dirs":               {fstest.MapFS{"a/b/c/d": {}}, 100, 3},
		"a name that is too long":     {fstest.MapFS{strings.Repeat("n", 256): {}}, 100, 10},
		"a link with too long a name": {fstest.MapFS{strings.Repeat("n", 256): {Data: []byte("x"), Mode: fs.ModeSymlink}}, 100, 10},
		"a path that is too long":     {fstest.MapFS{strings.Repeat("directory/", 400) + "x": {}}, 100, 1000},
		"a link to nothing":           {fstest.MapFS{"a": {Mode: fs.ModeSymlink}}, 100, 10},
		"a device":                    {fstest.MapFS{"a": {Mode: fs.ModeDevice}}, 100, 10},
		"a socket":                    {fstest.MapFS{"a": {Mode: fs.ModeSocket}}, 100, 10},
		"a name that is there twice":  {liarFS{fstest.MapFS{"a": {}}}, 100, 10},
	} {
		t.Run(name, func(t *testing.T) {
			err := extract(t.Context(), c.tree, t.TempDir(), c.bytes, c.files)
			if err == nil {
				t.Fatal("extract() = nil")
			}
			var told *Error
			if !errors.As(err, &told) && name != "a name that is there twice" {
				t.Errorf("extract() = %v, want an Error in words", err)
			}
		})
	}
	exact := fstest.MapFS{"a": {Data: make([]byte, 50)}, "b": {Data: make([]byte, 50)}}
	if err := extract(t.Context(), exact, t.TempDir(), 100, 2); err != nil {
		t.Errorf("extract() of exactly the limits = %v", err)
	}
}
