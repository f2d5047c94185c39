package detector_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"slipway/buildpacks/detector"
)

// builderTOML writes a builder of buildpacks (pairs of id and script) in one
// folder, with order, and gives its file.
func builderTOML(t *testing.T, order string, scripts ...string) string {
	t.Helper()
	dir := t.TempDir()
	text := ""
	for i, bp := range pack(t, dir, scripts...) {
		text += fmt.Sprintf("[[buildpacks]]\nid = %q\nversion = \"1.0\"\nuri = %q\n", scripts[2*i], filepath.Base(bp))
	}
	write(t, dir, map[string]string{"builder.toml": text + order})
	return filepath.Join(dir, "builder.toml")
}

func provides(name string) string {
	return fmt.Sprintf("printf '[[provides]]\\nname=\"%s\"\\n' >> $2\n", name)
}

func requires(name string) string {
	return fmt.Sprintf("printf '[[requires]]\\nname=\"%s\"\\n' >> $2\n", name)
}

func TestReportSaysWhyGroupsLose(t *testing.T) {
	t.Parallel()
	b := open(t, detector.Source{Builder: builderTOML(t, orderOf("java node", "broken java? node", "app tool", "tool", "alone", "tool app"),
		"samples/java", "test -f pom.xml || exit 100",
		"samples/node", "test -f package.json || exit 100; echo found; echo a problem >&2",
		"samples/broken", "echo oops; exit 7",
		"samples/app", requires("tool"),
		"samples/tool", provides("tool"),
		"samples/alone", requires("tool"),
	)})
	app := write(t, t.TempDir(), map[string]string{"package.json": "{}"})
	r := detect(t, b, app, detector.Options{})
	var why []string
	for _, g := range r.Groups {
		why = append(why, g.Why)
	}
	want := []string{
		"samples/java@1.0 did not detect the app",
		"samples/broken@1.0 ended with exit code 7: 0 passes and 100 fails, anything else is an error",
		`samples/app@1.0 requires "tool", which samples/tool@1.0 provides, but after it`,
		`samples/tool@1.0 provides "tool", which neither it nor anything after it requires`,
		`samples/alone@1.0 requires "tool", which nothing before or in its group provides`,
		"",
	}
	if !slices.Equal(why, want) {
		t.Errorf("why groups lost: got %q, want %q", why, want)
	}
	if r.Chosen != 5 || r.ExitCode != 0 || !slices.Equal(r.Groups[5].Chosen, []string{"samples/tool@1.0", "samples/app@1.0"}) {
		t.Errorf("chosen group %d, exit code %d, %v; want 5, 0 and tool before app", r.Chosen, r.ExitCode, r.Groups[5].Chosen)
	}
	for i, want := range map[int]string{
		2: "put samples/tool@1.0 before samples/app@1.0 in the order",
		3: `if samples/tool@1.0 is of use by itself, let its plan require "tool" too`,
		4: `samples/tool@1.0 provides "tool": add it to the group, before samples/alone@1.0`,
	} {
		if got := r.Groups[i].Hints; !slices.Equal(got, []string{want}) {
			t.Errorf("hints of group %d = %q, want %q", i+1, got, want)
		}
	}
	node := r.Groups[0].Results[1]
	if string(node.Output) != "found\na problem\n" || node.Reused || !r.Groups[1].Results[2].Reused || node.Outcome != detector.Pass {
		t.Errorf("result of node = %+v, want its output, and to be used again", node)
	}
	if edges := r.Groups[2].Edges; len(edges) != 1 || edges[0].Fault != detector.Unmet || edges[0].ProvidedBy[0] != "samples/tool@1.0" {
		t.Errorf("edges of group 3 = %+v, want tool, which is not met", edges)
	}
}

func TestAllTellsWhatAlsoMatches(t *testing.T) {
	t.Parallel()
	b := open(t, detector.Source{Builder: builderTOML(t, orderOf("python procfile?", "node", "java", "languages"),
		"samples/python", "test -f app.py || exit 100", "samples/node", "test -f package.json || exit 100",
		"samples/java", "exit 100", "samples/procfile", "exit 100", "samples/languages", "exit 0")})
	app := write(t, t.TempDir(), map[string]string{"package.json": "{}", "app.py": ""})
	var also []int
	r := detect(t, b, app, detector.Options{All: true})
	for i, g := range r.Groups {
		if g.Also && g.Passed {
			also = append(also, i)
		}
	}
	if r.Chosen != 0 || !slices.Equal(also, []int{1, 3}) || len(r.Groups) != 4 {
		t.Errorf("chosen %d, also %v of %d groups; want 0, also 1 and 3 of 4", r.Chosen, also, len(r.Groups))
	}
	if got := r.Groups[0].Results[1].Outcome; got != detector.Skip {
		t.Errorf("outcome of an optional one that failed = %q, want %q", got, detector.Skip)
	}
	if r := detect(t, b, app, detector.Options{}); len(r.Groups) != 1 {
		t.Errorf("without All %d groups were tried, want 1", len(r.Groups))
	}
}

func TestOptionalOneWithoutAPlaceInThePlanIsSkipped(t *testing.T) {
	t.Parallel()
	b := open(t, detector.Source{Builder: builderTOML(t, orderOf("tool? node"), "samples/tool", provides("tool"), "samples/node", "exit 0")})
	r := detect(t, b, t.TempDir(), detector.Options{})
	got := r.Groups[0].Results[0]
	if got.Outcome != detector.Skip || !strings.Contains(got.Err, `provides "tool"`) || r.Chosen != 0 {
		t.Errorf("result of tool = %+v, want it skipped, with the reason", got)
	}
}

func TestClassicBuildpackBesideOthers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	classic := write(t, filepath.Join(dir, "ruby"), map[string]string{
		"bin/detect": "#!/bin/sh\necho \"Ruby in $1\"; pwd; echo ${CNB_BUILDPACK_DIR:-none}; [ -f \"$1/Gemfile\" ]\n", "bin/compile": "#!/bin/sh\n",
	})
	b := open(t, detector.Source{Buildpacks: append([]string{classic}, pack(t, dir, "samples/node", "exit 0")...)})
	app := write(t, t.TempDir(), map[string]string{"Gemfile": ""})
	r := detect(t, b, app, detector.Options{})
	res := r.Groups[0].Results[0]
	if !r.Passed() || !res.Classic || res.ID != "classic/ruby" || string(res.Output) != "Ruby in /workspace\n/workspace\nnone\n" && r.Sandbox.How != "none" {
		t.Errorf("result of a classic buildpack = %+v (%s), want it to pass", res, res.Output)
	}
	r = detect(t, b, t.TempDir(), detector.Options{NoSandbox: true})
	if res := r.Groups[0].Results[0]; r.ExitCode != 20 || res.Outcome != detector.Fail || res.ExitCode != 1 {
		t.Errorf("result of a classic buildpack without a Gemfile = %+v, exit code %d; want it to fail, and 20", res, r.ExitCode)
	}
}

func TestScriptsSeeTheirEnvironment(t *testing.T) {
	t.Parallel()
	dirs := pack(t, t.TempDir(), "samples/env", "echo $SECRET $CNB_TARGET_OS/$CNB_TARGET_ARCH/$CNB_TARGET_ARCH_VARIANT; cat $1/env/SECRET $CNB_PLATFORM_DIR/env/SECRET; [ -f $CNB_BUILDPACK_DIR/buildpack.toml ]; [ $2 = $CNB_BUILD_PLAN_PATH ]")
	b := open(t, detector.Source{Buildpacks: dirs, Target: "linux/arm/v7"})
	for _, plain := range []bool{false, true} {
		r := detect(t, b, t.TempDir(), detector.Options{Env: map[string]string{"SECRET": "s"}, NoSandbox: plain})
		if res := r.Groups[0].Results[0]; res.ExitCode != 0 || string(res.Output) != "s linux/arm/v7\nss" {
			t.Errorf("plain %v: a script's result = %+v, output %q", plain, res, res.Output)
		}
	}
	r, err := b.Detect(t.Context(), t.TempDir(), detector.Options{Env: map[string]string{"a/b": "s"}})
	if err != nil || !strings.Contains(r.Groups[0].Results[0].Err, `"a/b"`) {
		t.Errorf("Detect with a variable named a/b: %+v, %v; want an error that names it", r, err)
	}
}

func TestSandboxTellsWhatScriptsDo(t *testing.T) {
	t.Parallel()
	dirs := pack(t, t.TempDir(), "samples/nosy", "cat sub/a.txt; echo x > made; getent ahosts example.com; exit 0")
	b := open(t, detector.Source{Buildpacks: dirs})
	app := write(t, t.TempDir(), map[string]string{"sub/a.txt": "a", "b.txt": "b"})
	r := detect(t, b, app, detector.Options{})
	if r.Sandbox.How == "none" {
		t.Skipf("this machine has no sandbox: %v", r.Sandbox.Missing)
	}
	res := r.Groups[0].Results[0]
	if !slices.Equal(res.Files, []string{"made", "sub/a.txt"}) || !slices.Equal(res.Wrote, []string{"made"}) || !res.Network {
		t.Errorf("files %q, wrote %q, network %v; want made and sub/a.txt, made, true", res.Files, res.Wrote, res.Network)
	}
	if !r.FilesSeen || !slices.Contains(r.Files, "sub/a.txt") {
		t.Errorf("files of the report = %q, seen %v", r.Files, r.FilesSeen)
	}
}

func TestBundledBuilderAnswersInProcess(t *testing.T) {
	t.Parallel()
	b := open(t, detector.Source{Python: []string{"3.13.1"}})
	if !b.InProcess() {
		t.Fatal("InProcess() = false, want true")
	}
	r, err := b.DetectFS(t.Context(), fstest.MapFS{
		"requirements.txt": {Data: []byte("flask")}, ".python-version": {Data: []byte("3.13")}, "Procfile": {Data: []byte("web: x")},
	}, detector.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Passed() || !slices.Equal(r.Groups[r.Chosen].Chosen, []string{"slipway/python@0.1.0", "slipway/procfile@0.1.0"}) {
		t.Errorf("groups = %+v, want python and procfile", r.Groups)
	}
	if r.App.Version.Resolved != "3.13.1" || r.Sandbox.How != "in process" || !slices.Contains(r.Files, ".python-version") {
		t.Errorf("version %q, sandbox %q, files %q; want 3.13.1, in process, and .python-version", r.App.Version.Resolved, r.Sandbox.How, r.Files)
	}
	r, err = b.DetectFS(t.Context(), fstest.MapFS{"README": {}}, detector.Options{})
	if err != nil || r.ExitCode != 20 || r.App.Error == nil {
		t.Errorf("report on nothing = %+v, %v; want exit code 20", r, err)
	}
}

func BenchmarkBundled(b *testing.B) {
	builder, err := detector.Open(b.Context(), detector.Source{})
	if err != nil {
		b.Fatal(err)
	}
	app := fstest.MapFS{"requirements.txt": {Data: []byte("flask")}, "Procfile": {Data: []byte("web: x")}}
	for b.Loop() {
		if _, err := builder.DetectFS(b.Context(), app, detector.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
