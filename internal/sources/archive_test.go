package sources_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/internal/sources"
)

// zipped makes a zip file of entries, as pack does a tarball.
func zipped(t *testing.T, all ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range all {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(fs.FileMode(e.mode) | 0o644)
		if e.link != "" {
			h.SetMode(fs.ModeSymlink | 0o777)
			e.body = e.link
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, e.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func unzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

func TestUnpackFile(t *testing.T) {
	t.Parallel()
	entries := []entry{{name: "bp/bin/detect", body: "#!/bin/sh\n", mode: 0o755}, {name: "bp/buildpack.toml", body: "api"}}
	withLink := append(entries, entry{name: "bp/link", link: "buildpack.toml", kind: '2'})
	const want = "bin/detect*=#!/bin/sh\n buildpack.toml=api link>buildpack.toml"
	for name, data := range map[string][]byte{
		"tgz": pack(t, withLink...), "tar": unzipped(t, pack(t, withLink...)), "zip": zipped(t, withLink...),
	} {
		dir := t.TempDir()
		file, err := sources.Save(t.Context(), bytes.NewReader(data), "buildpack", dir, small)
		if err != nil {
			t.Fatalf("Save() of a %s = %v", name, err)
		}
		tree, err := sources.UnpackFile(t.Context(), file, "buildpack", dir, small)
		if err != nil {
			t.Errorf("UnpackFile() of a %s = %v", name, err)
			continue
		}
		if got := listing(t, tree); got != want {
			t.Errorf("UnpackFile() of a %s has %q, want %q", name, got, want)
		}
		if info, err := os.Stat(filepath.Join(tree.Dir(), "bin/detect")); err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("bin/detect of a %s: %v, %v, want that it runs", name, info, err)
		}
		if err := tree.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	}
}

func TestUnpackFileRefuses(t *testing.T) {
	t.Parallel()
	bomb := strings.Repeat("0", 2<<20)
	var many []entry
	for i := range 11 {
		many = append(many, entry{name: string(rune('a' + i))})
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":                  {nil, "no .tgz, .tar or .zip archive"},
		"a text":                   {[]byte(strings.Repeat("hello\n", 1000)), "the buildpack is broken"},
		"a zip bomb":               {zipped(t, entry{name: "a", body: bomb}), "larger than 1 MB unpacked"},
		"a tar bomb":               {pack(t, entry{name: "a", body: bomb}), "larger than 1 MB unpacked"},
		"a zip of many files":      {zipped(t, many...), "more than 10 files"},
		"a zip that leads out":     {zipped(t, entry{name: "../a"}), "leads out of it"},
		"a zip of a deep file":     {zipped(t, entry{name: strings.Repeat("d/", 40) + "a"}), "more than 10 files"},
		"a zip through a link":     {zipped(t, entry{name: "l", link: "/tmp"}, entry{name: "l/a"}), "cannot be unpacked"},
		"a zip that is cut off":    {zipped(t, entry{name: "a", body: "x"})[:40], "is broken"},
		"a zip without files":      {zipped(t), "no files in it"},
		"a tarball of no gzip":     {append([]byte{0x1f, 0x8b}, make([]byte, 100)...), "no gzipped tarball"},
		"a tarball that leads out": {pack(t, entry{name: "../a"}), "leads out of it"},
	} {
		dir := t.TempDir()
		file := filepath.Join(t.TempDir(), "archive")
		if err := os.WriteFile(file, c.data, 0o600); err != nil {
			t.Fatal(err)
		}
		tree, err := sources.UnpackFile(t.Context(), file, "buildpack", dir, small)
		if !errors.As(err, new(*sources.Error)) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("UnpackFile() of %s = %v, %v, want %q", name, tree, err, c.want)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("UnpackFile() of %s leaves %v, %v", name, left, err)
		}
	}
}

func TestSaveIsBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := sources.Save(t.Context(), strings.NewReader(strings.Repeat("a", 2<<20)), "buildpack", dir, small)
	if !errors.As(err, new(*sources.Error)) || !strings.Contains(err.Error(), "the buildpack is larger than 1 MB") {
		t.Errorf("Save() of 2 MB where 1 MB may be = %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("Save() leaves %v, %v", left, err)
	}
}
