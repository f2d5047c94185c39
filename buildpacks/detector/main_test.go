package detector_test

import (
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"slipway/buildpacks/detector"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(lifecycle.dir)
		os.Exit(code)
	}))
}

// write makes files below dir; those in a folder bin are programs.
func write(t *testing.T, dir string, files map[string]string) string {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o644)
		if filepath.Base(filepath.Dir(file)) == "bin" {
			mode = 0o755
		}
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// bp is a buildpack of two shell scripts.
func bp(id, detect string) map[string]string {
	return map[string]string{
		"buildpack.toml": "api = \"0.10\"\n[buildpack]\nid = \"" + id + "\"\nversion = \"1.0\"\nname = \"" + id + "\"\n",
		"bin/detect":     "#!/bin/sh\n" + detect + "\n",
		"bin/build":      "#!/bin/sh\nexit 0\n",
	}
}

// pack makes buildpacks below dir, a folder each, of id and script.
func pack(t *testing.T, dir string, scripts ...string) []string {
	t.Helper()
	var dirs []string
	for i := 0; i < len(scripts); i += 2 {
		dirs = append(dirs, write(t, filepath.Join(dir, filepath.Base(scripts[i])), bp(scripts[i], scripts[i+1])))
	}
	return dirs
}

func open(t *testing.T, s detector.Source) *detector.Builder {
	t.Helper()
	b, err := detector.Open(t.Context(), s)
	if err != nil {
		t.Fatalf("Open(%+v): %v", s, err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return b
}

func detect(t *testing.T, b *detector.Builder, dir string, o detector.Options) *detector.Report {
	t.Helper()
	r, err := b.Detect(t.Context(), dir, o)
	if err != nil {
		t.Fatalf("Detect(%q): %v", dir, err)
	}
	return r
}
