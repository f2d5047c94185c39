package bundled

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

// kept opens what cmd/builder keeps and makes, or skips.
func kept(t *testing.T) Config {
	t.Helper()
	if testing.Short() {
		t.Skip("makes parts of the bundled builder")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	home, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	return Config{Root: "../..", Out: filepath.Join(t.TempDir(), "builder"), Cache: filepath.Join(home, "slipway", "builder"), Progress: io.Discard}
}

func TestSameInputsGiveTheSameBuilder(t *testing.T) {
	c := kept(t)
	var ids [2]string
	for i := range ids {
		if err := os.RemoveAll(c.Out); err != nil {
			t.Fatal(err)
		}
		if err := Build(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		id, err := os.ReadFile(filepath.Join(c.Out, idFile))
		if err != nil {
			t.Fatal(err)
		}
		ids[i] = string(id)
	}
	if ids[0] != ids[1] {
		t.Errorf("two builders from the same inputs have ids %q and %q", ids[0], ids[1])
	}
	index := filepath.Join(c.Out, "index.json")
	before, err := os.Stat(index)
	if err != nil {
		t.Fatal(err)
	}
	if err := Build(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(index)
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(before, after) {
		t.Error("a builder whose inputs did not change was made again")
	}
	if left, err := filepath.Glob(c.Out + ".*"); err != nil || len(left) > 0 {
		t.Errorf("beside the builder lie %q (%v)", left, err)
	}
}

func TestSameCPythonGivesTheSameLayer(t *testing.T) {
	c := kept(t)
	b := &build{Config: c, work: t.TempDir()}
	if err := b.ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	var layers [2]layer
	for i := range layers {
		var err error
		if layers[i], err = b.python(t.Context(), pythons[len(pythons)-1], t.TempDir()); err != nil {
			t.Fatal(err)
		}
	}
	if layers[0] != layers[1] {
		t.Errorf("layers of the same CPython = %v and %v", layers[0], layers[1])
	}
}
