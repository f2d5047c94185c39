package bundled

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// write makes a file, and the directories on the way to it.
func write(t *testing.T, root, name, text string) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// list gives the names in a layer, a hard link with its target.
func list(t *testing.T, file string) []string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zr, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for tr := tar.NewReader(zr); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		if !h.ModTime.Equal(normalTime) {
			t.Errorf("time of %s = %v, want %v", h.Name, h.ModTime, normalTime)
		}
		name := h.Name
		if h.Linkname != "" {
			name += " -> " + h.Linkname
		}
		names = append(names, name)
	}
}

func pack(t *testing.T, p packer) (layer, []string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "layer.tar.gz")
	l, err := p.pack(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	return l, list(t, file)
}

func TestLayerIsTheSameForTheSameFiles(t *testing.T) {
	t.Parallel()
	one, two := t.TempDir(), t.TempDir()
	for _, name := range []string{"etc/b", "etc/a", "usr/bin/x"} {
		write(t, one, name, name)
	}
	for _, name := range []string{"usr/bin/x", "etc/a", "etc/b"} {
		write(t, two, name, name)
	}
	if err := os.Chtimes(filepath.Join(two, "etc/a"), time.Unix(1, 0), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	a, names := pack(t, packer{root: one})
	b, _ := pack(t, packer{root: two})
	if a != b {
		t.Errorf("layers of the same files = %v and %v", a, b)
	}
	if want := []string{"etc/", "etc/a", "etc/b", "usr/", "usr/bin/", "usr/bin/x"}; !slices.Equal(names, want) {
		t.Errorf("layer has %q, want %q", names, want)
	}
}

func TestLayerHasOnlyDifferencesFromTheTreeBelow(t *testing.T) {
	t.Parallel()
	below, root := t.TempDir(), t.TempDir()
	for _, dir := range []string{below, root} {
		write(t, dir, "same", "same")
		write(t, dir, "changed", "was")
		write(t, dir, "dir/stays", "x")
		write(t, dir, "var/cache/apt", "x")
	}
	write(t, root, "changed", "now")
	write(t, root, "dir/new", "x")
	write(t, below, "dir/gone", "x")
	write(t, below, "gone/with/all", "x")
	write(t, root, "var/cache/more", "x")
	write(t, below, "kind", "a file")
	write(t, root, "kind/now", "a directory")
	if err := os.Link(filepath.Join(root, "dir/new"), filepath.Join(root, "dir/newer")); err != nil {
		t.Fatal(err)
	}
	_, names := pack(t, packer{root: root, below: below, skip: under("var/cache")})
	slices.Sort(names)
	want := []string{"changed", "dir/.wh.gone", "dir/new", "dir/newer -> dir/new", "kind/", "kind/now"}
	want = append([]string{".wh.gone"}, want...)
	if !slices.Equal(names, want) {
		t.Errorf("layer has %q, want %q", names, want)
	}
}

func TestLayerKeepsWhatIsSkippedOut(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, name := range []string{"dev/null", "etc/passwd-", "etc/passwd", "var/lib/dpkg/status", "var/log/apt/history"} {
		write(t, root, name, "x")
	}
	_, names := pack(t, packer{root: root, skip: notInImage})
	want := []string{"dev/", "etc/", "etc/passwd", "var/", "var/lib/", "var/lib/dpkg/", "var/lib/dpkg/status", "var/log/"}
	if !slices.Equal(names, want) {
		t.Errorf("layer has %q, want %q", names, want)
	}
}
