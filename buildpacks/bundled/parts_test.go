package bundled

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func newCache(t *testing.T) *cache {
	t.Helper()
	c, err := openCache(t.Context(), t.TempDir(), func() { t.Error("an unused cache is locked") })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestPartIsMadeOnceForItsInputs(t *testing.T) {
	t.Parallel()
	c, made := newCache(t), 0
	get := func(inputs string, fresh bool) string {
		t.Helper()
		p, err := newPart("thing", inputs, []string{"layer.go"}, func(_ context.Context, dir string) (string, error) {
			made++
			return inputs, os.WriteFile(filepath.Join(dir, "file"), []byte(inputs), 0o644)
		})
		if err != nil {
			t.Fatal(err)
		}
		v, dir, err := p.get(t.Context(), c, fresh)
		if err != nil {
			t.Fatal(err)
		}
		if data, err := os.ReadFile(filepath.Join(dir, "file")); err != nil || string(data) != inputs {
			t.Errorf("file of part %q = %q, %v", inputs, data, err)
		}
		return v
	}
	for i, step := range []struct {
		inputs string
		fresh  bool
		made   int
	}{{"a", false, 1}, {"a", false, 1}, {"b", false, 2}, {"a", false, 2}, {"a", true, 3}} {
		if v := get(step.inputs, step.fresh); v != step.inputs || made != step.made {
			t.Errorf("step %d: part = %q, made %d times, want %q, %d", i, v, made, step.inputs, step.made)
		}
	}
	for _, inputs := range []string{"c", "d", "e", "f"} {
		get(inputs, false)
		// The clock was ahead, or is coarse: what is made next looks older.
		dirs, err := filepath.Glob(filepath.Join(c.dir, "thing-*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range dirs {
			later := time.Now().Add(time.Hour)
			if err := os.Chtimes(dir, later, later); err != nil {
				t.Fatal(err)
			}
		}
	}
	if dirs, err := filepath.Glob(filepath.Join(c.dir, "thing-*")); err != nil || len(dirs) != keptParts {
		t.Errorf("cache keeps %d versions, want %d (%v)", len(dirs), keptParts, err)
	}
}

func TestFailedPartLeavesNothing(t *testing.T) {
	t.Parallel()
	c, broken := newCache(t), errors.New("broken")
	p, err := newPart("thing", 1, nil, func(_ context.Context, dir string) (int, error) {
		return 0, errors.Join(broken, os.WriteFile(filepath.Join(dir, "half"), nil, 0o644))
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.get(t.Context(), c, false); !errors.Is(err, broken) {
		t.Errorf("get = %v, want %v", err, broken)
	}
	if left, err := os.ReadDir(c.dir); err != nil || len(left) != 1 {
		t.Errorf("the cache has %v (%v), want its lock only", left, err)
	}
}

func TestSecondRunWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	first := newCache(t)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := openCache(ctx, first.dir, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("open a cache that is in use, canceled = %v, want %v", err, context.Canceled)
	}
	second, err := openCache(t.Context(), first.dir, func() { first.Close() })
	if err != nil {
		t.Fatal(err)
	}
	second.Close()
}

func TestNotInPython(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"bin/": false, "bin/python3.13": false, "bin/python3": false, "bin/pip3": true, "bin/idle3": true,
		"bin/python3.13-config": true, "lib/python3.13/os.py": false, "lib/python3.13/test/support.py": true,
		"lib/python3.13/tkinter/__init__.py": true, "lib/libpython3.13.so.1.0": false, "lib/libtcl9.0.so": true,
		"lib/python3.13/unittest/case.py": false, "lib/python3.13/turtle.py": true,
	} {
		if got := notInPython(name, "3.13"); got != want {
			t.Errorf("notInPython(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestPatchLevelNamesTheVersion(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "patchlevel.h")
	const header = "#define PY_MAJOR_VERSION        3\n#define PY_MICRO_VERSION        5\n" +
		"#define PY_RELEASE_LEVEL        PY_RELEASE_LEVEL_GAMMA\n#define PY_RELEASE_SERIAL       1\n" +
		"#define PY_VERSION              \"3.13.5rc1\"\n"
	if err := os.WriteFile(file, []byte(header), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := setPatchLevel(file, cpython{Version: "3.13.1"}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const want = "#define PY_MAJOR_VERSION        3\n#define PY_MICRO_VERSION        1\n" +
		"#define PY_RELEASE_LEVEL        PY_RELEASE_LEVEL_FINAL\n#define PY_RELEASE_SERIAL       0\n" +
		"#define PY_VERSION              \"3.13.1\"\n"
	if string(got) != want {
		t.Errorf("patchlevel.h = %s, want %s", got, want)
	}
	if err := os.WriteFile(file, []byte("nothing\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := setPatchLevel(file, cpython{Version: "3.13.1"}); err == nil {
		t.Error("a header without versions is accepted")
	}
}

func TestEmbeddedTreeStaysInside(t *testing.T) {
	t.Parallel()
	src, dst := t.TempDir(), t.TempDir()
	write(t, src, "files.json", `{"files": [{"name": "../out", "perm": 420}]}`)
	if err := unpackEmbedded(src, filepath.Join(dst, "in"), func(string) bool { return false }); err == nil {
		t.Error("a name that leads outside is accepted")
	}
	if _, err := os.Stat(filepath.Join(dst, "out")); err == nil {
		t.Error("a file was written outside")
	}
}

func TestMissingPackagesAreNamed(t *testing.T) {
	t.Parallel()
	err := &MissingError{Packages: []string{"mmdebstrap", "binutils"}}
	if !strings.Contains(err.Error(), "apt-get install mmdebstrap binutils") {
		t.Errorf("error = %q, want what to install in it", err)
	}
}

func TestMirrorsAreTheMachinesOwn(t *testing.T) {
	t.Parallel()
	m, err := Mirrors{Ubuntu: "http://mirror.example/ubuntu"}.fill(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m.Ubuntu != "http://mirror.example/ubuntu" {
		t.Errorf("Ubuntu mirror = %q, want the one that was given", m.Ubuntu)
	}
	for _, uri := range []string{m.Debian, m.Security} {
		if !strings.Contains(uri, "://") || strings.HasSuffix(uri, "/") {
			t.Errorf("mirror = %q, want an address without a slash at its end", uri)
		}
	}
	if got := m.sources("trixie"); strings.Count(got, "\n") != 3 || !strings.Contains(got, "trixie-security main") {
		t.Errorf("sources = %q, want three lines, security updates among them", got)
	}
}

func TestRecipeIsPinned(t *testing.T) {
	t.Parallel()
	for _, p := range pythons {
		if !strings.HasPrefix(p.Sum, "h1:") || !strings.Contains(p.Module, p.Version) {
			t.Errorf("CPython %s comes from %s with sum %q, want that version with an h1 sum", p.Version, p.Module, p.Sum)
		}
		if (p.Headers.Suite == "") == (p.Headers.Pool == "") || p.Headers.Pool != "" && len(p.Headers.SHA256) != 64 {
			t.Errorf("headers of CPython %s = %+v, want a suite, or a file with its hash", p.Version, p.Headers)
		}
	}
	known := map[string]bool{}
	for _, s := range Buildpacks {
		known[s.ID] = true
	}
	for _, group := range Order {
		for _, m := range group {
			if !known[m.ID] {
				t.Errorf("the order names %s, which no folder has", m.ID)
			}
		}
	}
}
