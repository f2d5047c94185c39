package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	projectTypes "github.com/buildpacks/pack/pkg/project/types"
)

// app makes an app with folders that are buildpacks, or nearly.
func app(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{
		"bp/buildpack.toml": 0o644, "bp/bin/detect": 0o755, "bp/bin/build": 0o755,
		"classic/bin/detect": 0o755, "classic/bin/compile": 0o755,
		"plain/buildpack.toml": 0o644, "plain/bin/detect": 0o644, "plain/bin/build": 0o755,
		"half/buildpack.toml": 0o644, "half/bin/detect": 0o755,
		"empty/x": 0o644,
	} {
		file := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, nil, mode), os.Chmod(file, mode)); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"out": "/etc", "in": "bp"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestChoose(t *testing.T) {
	t.Parallel()
	dir := app(t)
	var notes []string
	c := chooser{
		asks: "The app is set to use", allowed: []string{"https://ok.test/bp.tgz", "docker://ok.test/bp", "file:///opt/bp"}, app: dir,
		have:  map[string]bool{"slipway/python": true, "slipway/python@1.0.0": true, "slipway/nodejs": true, "slipway/nodejs@1.0.0": true},
		fetch: func(_ context.Context, uri string) (string, error) { return "/fetched/" + filepath.Base(uri), nil },
		note:  func(line string) { notes = append(notes, line) },
	}
	for name, want := range map[string]projectTypes.Buildpack{
		"slipway/python":              {ID: "slipway/python"},
		"slipway/python@1.0.0":        {ID: "slipway/python", Version: "1.0.0"},
		"urn:buildpack:heroku/nodejs": {ID: "slipway/nodejs"},
		"./bp":                        {URI: filepath.Join(dir, "bp")},
		"bp":                          {URI: filepath.Join(dir, "bp")},
		"bp/":                         {URI: filepath.Join(dir, "bp")},
		"https://ok.test/bp.tgz":      {URI: "/fetched/bp.tgz"},
		"docker://ok.test/bp":         {URI: "docker://ok.test/bp"},
		"file:///opt/bp":              {URI: "file:///opt/bp"},
		"from=builder":                {URI: "from=builder"},
		"from=builder:slipway/nodejs": {ID: "slipway/nodejs"},
	} {
		got, err := c.choose(t.Context(), projectTypes.Buildpack{URI: name})
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("choose(%q) = %+v, %v, want %+v", name, got, err, want)
		}
	}
	if len(notes) != 1 || notes[0] != "-----> Using slipway/nodejs for heroku/nodejs" {
		t.Errorf("notes are %q, want one that heroku/nodejs is ours", notes)
	}
	for name, want := range map[string]string{
		"slipway/ruby":           "which the builder does not have.\nIt has: slipway/nodejs, slipway/python",
		"heroku/ruby":            "which the builder does not have",
		"slipway/python@2":       "does not have this version.\nIt has: slipway/python@1.0.0",
		"./none":                 "no such folder",
		"./out":                  "no such folder",
		"./in":                   "no such folder",
		"./empty":                "has no buildpack.toml",
		"./classic":              "is a classic one",
		"./plain":                "whose bin/detect is not executable",
		"./half":                 "has no bin/build",
		"../bp":                  "leads out of the app",
		"https://no.test/bp.tgz": "this server does not allow",
		"docker://no.test/bp":    "this server does not allow",
		"file:///etc":            "this server does not allow",
		"a b":                    "spaces",
	} {
		_, err := c.choose(t.Context(), projectTypes.Buildpack{URI: name})
		var told *Error
		if !errors.As(err, &told) || !told.UserFault || !strings.Contains(told.Text, want) || !strings.HasPrefix(told.Text, "The app is set to use") {
			t.Errorf("choose(%q) = %v, want %q in words", name, err, want)
		}
	}
}

func TestForcedReplacesTheDescriptors(t *testing.T) {
	t.Parallel()
	var d projectTypes.Descriptor
	d.Build.Buildpacks = []projectTypes.Buildpack{{ID: "a"}}
	d.Build.Pre.Buildpacks, d.Build.Post.Buildpacks = d.Build.Buildpacks, d.Build.Buildpacks
	force(&d, nil)
	if !asksBuildpacks(d) || len(d.Build.Pre.Buildpacks) != 1 {
		t.Errorf("force() of nothing changes %+v", d.Build)
	}
	force(&d, []string{"./b", "c/d"})
	if b := d.Build; len(b.Buildpacks) != 2 || b.Buildpacks[1].URI != "c/d" || len(b.Pre.Buildpacks)+len(b.Post.Buildpacks) != 0 {
		t.Errorf("force() gives %+v, want the two alone", b)
	}
}

// The lifecycle's detector said so, of a group of two that fail and one that passes.
func TestIncompatible(t *testing.T) {
	t.Parallel()
	const text = `target distro name/version labels not found, reading /etc/os-release file
======== Output: a/one@1.0.0 ========
no package.json here:
  look
======== Output: a/two@2.0.0 ========
fine
======== Error: a/three@3 ========
fork/exec bin/detect: no such file
======== Results ========
fail: a/one@1.0.0
pass: a/two@2.0.0
err:  a/three@3 (7)
`
	got := incompatible(strings.Split(text, "\n"))
	want := "[{a/one@1.0.0 [no package.json here:   look]} {a/three@3 [fork/exec bin/detect: no such file]}]"
	if fmt.Sprint(got) != want {
		t.Errorf("incompatible() = %v, want %s", got, want)
	}
	const unmet = "======== Results ========\npass: a/one@1\npass: a/two@1\nResolving plan... (try #1)\nfail: a/one@1 requires node\n"
	if got := fmt.Sprint(incompatible(strings.Split(unmet, "\n"))); got != "[{a/one@1 [It requires node, which no buildpack before it provides.]}]" {
		t.Errorf("incompatible() of an unmet plan = %s", got)
	}
	if got := incompatible([]string{"ERROR: oops"}); len(got) != 0 {
		t.Errorf("incompatible() of something else = %v", got)
	}
}
