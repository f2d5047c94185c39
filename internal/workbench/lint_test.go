package workbench_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/buildpacks/detector"
	"slipway/internal/workbench"
)

func reportOf(results ...detector.Result) *detector.Report {
	return &detector.Report{
		Dir: "app", Chosen: -1, ExitCode: 20, Sandbox: detector.Sandbox{How: "sandbox"},
		Groups: []detector.Group{{Number: 1, Results: results}, {Number: 2, Results: results}},
	}
}

func TestLintRemarksOnWhatWasSeen(t *testing.T) {
	t.Parallel()
	pass := detector.Result{ID: "acme/x", Version: "1.0.0", Outcome: detector.Pass}
	failed := func(code int) detector.Result {
		return detector.Result{ID: "acme/x", Version: "1.0.0", Outcome: detector.Error, ExitCode: code}
	}
	planned := pass
	planned.Plans = []detector.Plan{{Provides: []string{"x"}}}
	for _, c := range []struct {
		name   string
		result detector.Result
		again  *detector.Result
		want   []string // id and severity
	}{
		{"nothing", pass, nil, nil},
		{"a plain no", detector.Result{ID: "acme/x", Outcome: detector.Fail, ExitCode: 100}, nil, nil},
		{"exit code 1", failed(1), nil, []string{"exit-code error"}},
		{"exit code 3", failed(3), nil, []string{"exit-code error"}},
		{"no exit", failed(-1), nil, []string{"no-answer error"}},
		{"a plan that cannot be read", failed(0), nil, []string{"bad-plan error"}},
		{"a classic no", detector.Result{ID: "classic", Classic: true, Outcome: detector.Fail, ExitCode: 1}, nil, nil},
		{"writes", detector.Result{ID: "acme/x", Wrote: []string{"a", "b"}}, nil, []string{"writes-app error"}},
		{"a plan with other keys", detector.Result{ID: "acme/x", Unknown: []string{"provide"}}, nil, []string{"plan-key error"}},
		{"processes that stay", detector.Result{ID: "acme/x", LeftRunning: true}, nil, []string{"left-running warning"}},
		{"network", detector.Result{ID: "acme/x", Network: true}, nil, []string{"network warning"}},
		{"slow", detector.Result{ID: "acme/x", Took: 1001 * time.Millisecond}, nil, []string{"slow warning"}},
		{"not too slow", detector.Result{ID: "acme/x", Took: 999 * time.Millisecond}, nil, nil},
		{"much output", detector.Result{ID: "acme/x", Dropped: 1 << 30}, nil, []string{"much-output warning"}},
		{"Latin-1", detector.Result{ID: "acme/x", Output: []byte("gr\xfc\xdfe")}, nil, []string{"not-utf8 warning"}},
		{"UTF-8", detector.Result{ID: "acme/x", Output: []byte("grüße \ufffd")}, nil, nil},
		{"UTF-8 that was cut", detector.Result{ID: "acme/x", Output: []byte("gr\xc3\n\xbc"), Dropped: 9}, nil, []string{"much-output warning"}},
		{"the same again", planned, &planned, nil},
		{"another answer", pass, new(failed(1)), []string{"unstable error"}},
		{"another plan", pass, &planned, []string{"unstable error"}},
	} {
		var again *detector.Report
		if c.again != nil {
			again = reportOf(*c.again)
		}
		var got []string
		for _, r := range workbench.Lint(reportOf(c.result), again, workbench.LintConfig{}) {
			got = append(got, r.ID+" "+r.Severity)
			if r.Do == "" || r.Text == "" || r.Place != "app" {
				t.Errorf("%s: %+v has no text, place or advice", c.name, r)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("Lint(%s) = %q, want %q", c.name, got, c.want)
		}
	}
}

func TestLintSaysWhatItCannotSee(t *testing.T) {
	t.Parallel()
	for how, want := range map[string]int{"in process": 0, "sandbox": 0, "partly": 1, "none": 1} {
		r := reportOf()
		r.Sandbox.How = how
		if remarks := workbench.Lint(r, nil, workbench.LintConfig{}); len(remarks) != 0 {
			t.Errorf("Lint(%s, once) = %+v, want nothing", how, remarks)
		}
		remarks := workbench.Lint(r, r, workbench.LintConfig{})
		if len(remarks) != want || want > 0 && remarks[0].Severity != workbench.Unseen {
			t.Errorf("Lint(%s) = %+v, want %d notes", how, remarks, want)
		}
	}
}

const (
	goodTOML = "api = \"0.12\"\n[buildpack]\nid = \"acme/x\"\nversion = \"1.2.3\"\n[[targets]]\nos = \"linux\"\n"
	script   = "#!/bin/sh\n"
)

func TestLintReadsABuildpack(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		files map[string]string
		want  []string // id and place
	}{
		{"fine", map[string]string{"buildpack.toml": goodTOML, "bin/detect": script, "bin/build": "-> " + self}, nil},
		{"nothing", nil, []string{"no-descriptor buildpack.toml"}},
		{"classic", map[string]string{"bin/detect": script, "bin/compile": script}, nil},
		{"classic, without a first line", map[string]string{"bin/detect": "echo Ruby", "bin/compile": script}, []string{"no-interpreter bin/detect:1"}},
		{"no TOML", map[string]string{"buildpack.toml": "api = \"0.12\"\nid = oops\n"}, []string{"bad-descriptor buildpack.toml:2"}},
		{"another form", map[string]string{"buildpack.toml": "api = 3\n"}, []string{"bad-descriptor buildpack.toml"}},
		{"empty", map[string]string{"buildpack.toml": ""}, []string{
			"no-id buildpack.toml", "no-version buildpack.toml", "no-api buildpack.toml", "no-program bin/detect", "no-program bin/build",
		}},
		{"odd words", map[string]string{
			"buildpack.toml": "api = \"9.9\"\nname = \"x\"\n[buildpack]\nid = \"a b\"\nversion = \"v1\"\nhomepge = \"\"\n[[targets]]\nos = \"linux\"\ncpu = \"x\"\n",
			"bin/detect":     script, "bin/build": script,
		}, []string{
			"unknown-key buildpack.toml", "unknown-key buildpack.toml", "unknown-key buildpack.toml", "bad-id buildpack.toml", "bad-version buildpack.toml", "unknown-api buildpack.toml",
		}},
		{"old", map[string]string{"buildpack.toml": strings.Replace(goodTOML, "0.12", "0.8", 1), "bin/detect": script, "bin/build": script}, []string{"old-api buildpack.toml"}},
		{"stacks", map[string]string{"buildpack.toml": strings.Replace(goodTOML, "targets]]\nos", "stacks]]\nid", 1), "bin/detect": script, "bin/build": script}, []string{"stacks buildpack.toml"}},
		{"no targets", map[string]string{"buildpack.toml": strings.Replace(goodTOML, "[[targets]]\nos", "[metadata]\nany", 1), "bin/detect": script, "bin/build": script}, []string{"no-targets buildpack.toml"}},
		{"programs", map[string]string{"buildpack.toml": goodTOML, "bin/detect": "#!/bin/sh\r\nexit 0\r\n", "bin/build": ""}, []string{"carriage-return bin/detect:1", "no-interpreter bin/build:1"}},
		{"no files", map[string]string{"buildpack.toml": goodTOML, "bin/detect/": "", "bin/build": "-> build"}, []string{"bad-program bin/detect", "bad-program bin/build"}},
		{"meta", map[string]string{"buildpack.toml": goodTOML + "[[order]]\n[[order.group]]\nid = \"acme/y\"\nversion = \"1\"\n", "bin/detect": script}, []string{"meta-program bin/detect", "meta-targets buildpack.toml"}},
	} {
		dir := tree(t, c.files)
		for _, name := range []string{"detect", "build"} {
			_ = os.Chmod(filepath.Join(dir, "bin", name), 0o755) // where it is there
		}
		var got []string
		for _, r := range workbench.LintBuildpack(dir) {
			got = append(got, r.ID+" "+r.Place)
			if r.Do == "" || r.Text == "" {
				t.Errorf("%s: %+v has no text or advice", c.name, r)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("LintBuildpack(%s) = %q, want %q", c.name, got, c.want)
		}
	}
	dir := tree(t, map[string]string{"buildpack.toml": goodTOML, "bin/detect": script, "bin/build": script})
	if got := workbench.LintBuildpack(dir); len(got) != 2 || got[0].ID != "not-executable" || got[0].Buildpack != "acme/x@1.2.3" {
		t.Errorf("LintBuildpack(without modes) = %+v, want not-executable for both programs of acme/x@1.2.3", got)
	}
	if got := workbench.LintBuildpack(filepath.Join(dir, "gone")); len(got) != 1 || got[0].ID != "no-directory" {
		t.Errorf("LintBuildpack(gone) = %+v, want no-directory", got)
	}
}
