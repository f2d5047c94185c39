package build

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"go.uber.org/zap"

	"slipway/buildpacks"
)

const readsVersion = `#!/bin/sh
test -e runtime.txt || exit 100
echo "for $(cat "$CNB_PLATFORM_DIR/env/WHO")"
`

// testBuilder writes a builder.toml with one buildpack of a shell script.
func testBuilder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, file := range map[string]struct {
		text string
		mode fs.FileMode
	}{
		"builder.toml":      {"[[buildpacks]]\nuri = \"bp\"\n[[order]]\n[[order.group]]\nid = \"test/bp\"\nversion = \"1\"\n[stack]\nid = \"x\"\nbuild-image = \"x\"\nrun-image = \"x\"\n", 0o644},
		"bp/buildpack.toml": {"api = \"0.10\"\n[buildpack]\nid = \"test/bp\"\nversion = \"1\"\n[[targets]]\nos = \"linux\"\n", 0o644},
		"bp/bin/detect":     {readsVersion, 0o755},
		"bp/bin/build":      {"#!/bin/sh\n", 0o755},
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(file.text), file.mode); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "builder.toml")
}

func TestDetectWithAnyBuilder(t *testing.T) {
	other := testBuilder(t)
	cfg := Config{Dir: t.TempDir(), Builder: Bundled, Allowed: []string{other}, SourceBytes: 1 << 20, SourceFiles: 10, Log: zap.NewNop(), Env: map[string]string{"WHO": "nobody"}}
	b := &Builder{cfg: cfg, bundle: &bundle{ref: "slipway/builder:1", pythons: []string{"3.13.1"}, have: map[string]bool{"slipway/python": true, "slipway/procfile": true}}}
	if err := os.MkdirAll(b.workDir(), 0o755); err != nil {
		t.Fatal(err)
	}
	python := fstest.MapFS{"requirements.txt": {}, "runtime.txt": {Data: []byte("python-3.13.1\n")}}
	inApp := fstest.MapFS{
		"runtime.txt": {}, "bp/buildpack.toml": {Data: []byte("api = \"0.10\"\n[buildpack]\nid = \"in/app\"\nversion = \"1\"\n[[targets]]\nos = \"linux\"\n")},
		"bp/bin/detect": {Data: []byte(readsVersion), Mode: 0o755}, "bp/bin/build": {Data: []byte("#!/bin/sh\n"), Mode: 0o755},
	}
	for name, c := range map[string]struct {
		builder string
		tree    fs.FS
		passed  bool
		output  string
		chosen  []string
	}{
		"bundled":                 {"", python, true, "", nil},
		"bundled, by name":        {Bundled, python, true, "", nil},
		"bundled, no buildpack":   {"", fstest.MapFS{"x": {}}, false, "", nil},
		"another":                 {other, python, true, "for shop\n", nil},
		"another, no buildpack":   {other, fstest.MapFS{"x": {}}, false, "", nil},
		"chosen":                  {"", python, false, "", []string{"slipway/procfile"}},
		"chosen by Heroku's name": {"", python, true, "", []string{"heroku/python"}},
		"chosen in the app":       {"", inApp, true, "for shop\n", []string{"./bp"}},
		"chosen beside":           {"", inApp, true, "", []string{"slipway/python", "./bp"}},
	} {
		t.Run(name, func(t *testing.T) {
			plan := &buildpacks.Plan{Language: "python"}
			report, err := b.Detect(t.Context(), Detection{
				App: "shop", Source: c.tree, Builder: c.builder, Plan: plan, Buildpacks: c.chosen, Env: map[string]string{"WHO": "shop", "A=B": "x"},
			})
			if err != nil {
				t.Fatalf("Detect: %v", err)
			}
			if report.Passed() != c.passed || report.Dir != "shop" || report.App != plan {
				t.Errorf("Detect = %+v, want passed %v", report, c.passed)
			}
			if got := string(report.Groups[0].Results[0].Output); c.output != "" && got != c.output {
				t.Errorf("output = %q, want %q", got, c.output)
			}
		})
	}
	_, err := b.Detect(t.Context(), Detection{App: "shop", Source: python, Builder: "not/allowed", Plan: &buildpacks.Plan{}})
	if err == nil || !strings.Contains(err.Error(), "not/allowed") {
		t.Errorf("Detect with a builder that is not allowed = %v, want that it is refused", err)
	}
	many := fstest.MapFS{}
	for name := range strings.FieldsSeq("a b c d e f g h i j k l") {
		many[name] = &fstest.MapFile{}
	}
	if _, err := b.Detect(t.Context(), Detection{App: "shop", Source: many, Builder: other, Plan: &buildpacks.Plan{}}); err == nil || !strings.Contains(err.Error(), "more than 10 files") {
		t.Errorf("Detect of too many files = %v, want that it is refused", err)
	}
	if left, err := os.ReadDir(b.workDir()); err != nil || len(left) > 0 {
		t.Errorf("Detect leaves %v, %v", left, err)
	}
}
