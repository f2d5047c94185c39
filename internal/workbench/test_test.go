package workbench_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"slipway/buildpacks/detector"
	"slipway/internal/workbench"
)

// testing a tree gives its cases in words: the outcome, the name in the tree, and
// the keys that differ.
func testTree(t *testing.T, cfg workbench.TestConfig, d fake) ([]string, []workbench.Case, workbench.Summary, error) {
	t.Helper()
	if cfg.Open == nil {
		cfg.Open = func(context.Context, detector.Source) (workbench.DetectCloser, error) { return d, nil }
	}
	var words []string
	var cases []workbench.Case
	sum, err := workbench.Test(t.Context(), cfg, func(c workbench.Case) error {
		words = append(words, strings.TrimSpace(c.Outcome+" "+filepath.Base(c.Name)+" "+strings.Join(c.Keys, ",")))
		cases = append(cases, c)
		return nil
	})
	return words, cases, sum, err
}

func TestTheCorpusIsATree(t *testing.T) {
	t.Parallel()
	dir, err := filepath.Abs("../../../shared/corpus/detect")
	if err != nil {
		t.Fatal(err)
	}
	_, cases, sum, err := testTree(t, workbench.TestConfig{Trees: []string{dir}}, fake{inProcess: true})
	if err != nil || sum.Cases < 181 || sum.Failed() {
		t.Errorf("Test(corpus) = %+v, %v, want 181 cases that pass", sum, err)
	}
	for _, c := range cases {
		if c.Failed() {
			t.Errorf("%s: %s%s", c.Name, c.Err, c.Diff)
		}
	}
}

var someCases = map[string]string{
	"beside/expected.json":         `{"source": "elsewhere", "language": "ruby", "heroku": {"x": 1}}`,
	"beside/app/Gemfile":           "",
	"other/detect.expected.json":   "{\n    \"note\": \"an app with two\",\n    \"exit_code\": 100,\n    \"group\": [\"acme/rake\"],\n    \"language\": \"ruby\"\n}\n",
	"other/Gemfile":                "",
	"other/rake":                   "",
	"notjson/detect.expected.json": "{\n  \"language\": \"ruby\",\n  oops\n}",
	"notjson/Gemfile":              "",
	"same/detect.expected.json":    `{"language": "go", "group": ["acme/rake"], "exit_code": 0, "plan": [{"providers": ["acme/rake"], "requires": [{"name": "rake", "metadata": {}}]}]}`,
	"same/go.mod":                  "",
	"same/rake":                    "",
	"typo/detect.expected.json":    `{"tongue": "ruby"}`,
	"typo/Gemfile":                 "",
	"version/detect.expected.json": `{"group": ["acme/rake@1.2.4"]}`,
	"version/rake":                 "",
	"nocase/Gemfile":               "",
	"nocase/expected.json":         "{}",
}

func TestCasesPassDifferAndBreak(t *testing.T) {
	t.Parallel()
	for _, inProcess := range []bool{true, false} {
		dir := tree(t, someCases)
		d := fake{packs: []string{"rake", workbench.ExpectationFile}, inProcess: inProcess} // whoever sees the expectation passes
		words, cases, sum, err := testTree(t, workbench.TestConfig{Trees: []string{dir}, Jobs: 3}, d)
		want := []string{"passed beside", "broken notjson", "differs other exit_code", "passed same", "broken typo", "differs version group"}
		if err != nil || !slices.Equal(words, want) {
			t.Fatalf("Test = %q, %v, want %q", words, err, want)
		}
		if sum.Cases != 6 || sum.Passed != 2 || sum.Differ != 2 || sum.Broken != 2 || !sum.Failed() {
			t.Errorf("Test = %+v, want 6 cases, 2 of each outcome", sum)
		}
		diff := "--- " + filepath.Join(dir, "other", workbench.ExpectationFile) + `
+++ detected
@@ -1,5 +1,5 @@
 {
-  "exit_code": 100,
+  "exit_code": 0,
   "group": [
     "acme/rake"
   ],
`
		if cases[2].Diff != diff {
			t.Errorf("Diff = %s, want %s", cases[2].Diff, diff)
		}
		if !strings.Contains(cases[5].Diff, `+    "acme/rake@1.2.3"`) {
			t.Errorf("Diff = %s, want the version that is there", cases[5].Diff)
		}
		if got := cases[0].Why(); !slices.Equal(got, []string{"group 1 lost: no buildpack passes"}) || cases[2].Why() != nil {
			t.Errorf("Why = %q, %q, want why nothing was detected, and nothing", got, cases[2].Why())
		}
		for i, text := range map[int]string{1: "detect.expected.json, line 3: this is not JSON", 4: `line 1: no key is called "tongue"`} {
			if !strings.Contains(cases[i].Err, text) {
				t.Errorf("%s: error %q, want %q in it", cases[i].Name, cases[i].Err, text)
			}
		}
	}
}

func TestUpdateWritesWhatDiffers(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for name, content := range someCases {
		if dir := filepath.Dir(name); dir == "other" || dir == "version" {
			files[name] = content
		}
	}
	files["old/expected.json"] = "{\n \"source\": \"<elsewhere>\",\n \"language\": \"go\",\n \"heroku\": {\n  \"x\": 1\n }\n}"
	files["old/app/Gemfile"] = ""
	dir := tree(t, files)
	locked := filepath.Join(dir, "other", workbench.ExpectationFile)
	if err := os.Chmod(locked, 0o640); err != nil {
		t.Fatal(err)
	}
	d := fake{packs: []string{"rake"}, inProcess: true}
	words, _, sum, err := testTree(t, workbench.TestConfig{Trees: []string{dir}, Update: true}, d)
	want := []string{"updated old language", "updated other exit_code", "updated version group"}
	if err != nil || !slices.Equal(words, want) || sum.Failed() {
		t.Fatalf("Test(update) = %q, %v, want %q", words, err, want)
	}
	for name, want := range map[string]string{
		"other/detect.expected.json":   "{\n    \"note\": \"an app with two\",\n    \"exit_code\": 0,\n    \"group\": [\"acme/rake\"],\n    \"language\": \"ruby\"\n}\n",
		"version/detect.expected.json": "{\n  \"group\": [\n    \"acme/rake@1.2.3\"\n  ]\n}\n",
		"old/expected.json":            "{\n \"source\": \"<elsewhere>\",\n \"language\": \"ruby\",\n \"heroku\": {\n  \"x\": 1\n }\n}\n",
	} {
		if got := read(t, filepath.Join(dir, name)); got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
	if info, err := os.Stat(locked); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode of an updated file = %v, %v, want 0640", info.Mode(), err)
	}
	words, _, _, err = testTree(t, workbench.TestConfig{Trees: []string{dir}, Update: true}, d)
	if want := []string{"passed old", "passed other", "passed version"}; err != nil || !slices.Equal(words, want) {
		t.Errorf("Test after an update = %q, %v, want %q", words, err, want)
	}
}

func TestUpdateMakesCases(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"Gemfile": "", "rake": "", "Procfile": "web: rake\n"})
	d := fake{packs: []string{"rake"}, inProcess: true}
	words, _, _, err := testTree(t, workbench.TestConfig{New: []string{dir}}, d)
	if want := []string{"broken " + filepath.Base(dir)}; err != nil || !slices.Equal(words, want) {
		t.Errorf("Test without an expectation = %q, %v, want %q", words, err, want)
	}
	for _, c := range []struct {
		source detector.Source
		want   string
	}{
		{detector.Source{Buildpacks: []string{"rake"}}, `{
  "group": [
    "acme/rake"
  ],
  "plan": [
    {
      "providers": [
        "acme/rake"
      ],
      "requires": [
        {
          "metadata": {},
          "name": "rake"
        }
      ]
    }
  ],
  "exit_code": 0
}
`},
		{detector.Source{}, `{
  "language": "ruby",
  "package_manager": null,
  "version_requested": null,
  "version_origin": null,
  "error": null,
  "processes": {
    "web": "rake"
  },
  "group": [
    "acme/rake"
  ],
`},
	} {
		file := filepath.Join(dir, workbench.ExpectationFile)
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		_, cases, _, err := testTree(t, workbench.TestConfig{New: []string{dir}, Update: true, Source: c.source}, d)
		if err != nil || cases[0].Outcome != workbench.Added {
			t.Fatalf("Test(new) = %+v, %v, want it added", cases, err)
		}
		if got := read(t, file); !strings.HasPrefix(got, c.want) {
			t.Errorf("a new expectation = %s, want %s", got, c.want)
		}
		words, _, _, err := testTree(t, workbench.TestConfig{Trees: []string{dir}}, d)
		if want := []string{"passed " + filepath.Base(dir)}; err != nil || !slices.Equal(words, want) {
			t.Errorf("Test of a new expectation = %q, %v, want %q", words, err, want)
		}
	}
}

func TestCasesSayWhatToDetectWith(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"case/detect.expected.json": `{"buildpacks": ["../pack", "docker://acme/pack:1"], "target": "linux/arm64", "env": {"A": "case", "B": "case"}, "exit_code": 20}`,
		"pack/buildpack.toml":       "",
	})
	var sources []detector.Source
	var env map[string]string
	d := fake{inProcess: true, after: func(_ *detector.Report, _ fs.FS, o detector.Options) { env = o.Env }}
	cfg := workbench.TestConfig{
		Trees: []string{dir}, Source: detector.Source{Builder: "mine"}, Options: detector.Options{Env: map[string]string{"B": "flag"}},
		Open: func(_ context.Context, s detector.Source) (workbench.DetectCloser, error) {
			sources = append(sources, s)
			return d, nil
		},
	}
	for _, given := range []bool{false, true} {
		cfg.Given = given
		if words, _, _, err := testTree(t, cfg, d); err != nil || !slices.Equal(words, []string{"passed case"}) {
			t.Fatalf("Test = %q, %v", words, err)
		}
	}
	want := []string{filepath.Join(dir, "pack"), "docker://acme/pack:1"}
	if s := sources[0]; s.Builder != "" || !slices.Equal(s.Buildpacks, want) || s.Target != "linux/arm64" {
		t.Errorf("a case is detected with %+v, want the buildpacks %q", s, want)
	}
	if s := sources[1]; s.Builder != "mine" || s.Buildpacks != nil {
		t.Errorf("with a given source a case is detected with %+v, want that", s)
	}
	if env["A"] != "case" || env["B"] != "flag" {
		t.Errorf("the environment is %v, want A of the case and B of the caller", env)
	}
}

func TestATreeWithoutCases(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"Gemfile": ""})
	_, _, _, err := testTree(t, workbench.TestConfig{Trees: []string{dir}}, fake{})
	if !errors.Is(err, workbench.ErrNoCases) || !strings.Contains(err.Error(), "--update") {
		t.Errorf("Test = %v, want ErrNoCases with what to do", err)
	}
	write(t, filepath.Join(dir, "app", workbench.ExpectationFile), `{"exit_code": 20}`, false)
	write(t, filepath.Join(dir, "link"), "-> app", false)
	if words, _, _, err := testTree(t, workbench.TestConfig{Trees: []string{filepath.Join(dir, "link")}}, fake{}); err != nil || !slices.Equal(words, []string{"passed link"}) {
		t.Errorf("Test(a link) = %q, %v, want the case that it leads to", words, err)
	}
	if _, _, _, err := testTree(t, workbench.TestConfig{Trees: []string{filepath.Join(dir, "gone")}}, fake{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Test(gone) = %v, want %v", err, fs.ErrNotExist)
	}
}

func TestCompareShowsWhatChanges(t *testing.T) {
	t.Parallel()
	dir := tree(t, someCases)
	var changes []string
	sum, err := workbench.Compare(t.Context(), workbench.CompareConfig{
		A: detector.Source{Builder: "old"}, B: detector.Source{Builder: "new"}, Trees: []string{dir}, Jobs: 2,
		Open: func(_ context.Context, s detector.Source) (workbench.DetectCloser, error) {
			if s.Builder == "old" {
				return fake{packs: []string{"rake"}, inProcess: true}, nil
			}
			return fake{packs: []string{"go.mod", "rake"}, inProcess: true}, nil
		},
	}, func(c workbench.Change) error {
		if c.Changed || c.Err != "" {
			changes = append(changes, filepath.Base(c.Name)+" "+strings.Join(c.Keys, ","))
		}
		if c.Changed && !strings.HasPrefix(c.Diff, "--- old\n+++ new\n") {
			t.Errorf("%s: the diff is %s", c.Name, c.Diff)
		}
		return nil
	})
	if want := []string{"notjson ", "same group,plan", "typo "}; err != nil || !slices.Equal(changes, want) {
		t.Errorf("Compare = %q, %v, want %q", changes, err, want)
	}
	if sum.Cases != 6 || sum.Changed != 1 || sum.Broken != 2 || !sum.Differ() {
		t.Errorf("Compare = %+v, want 6 cases, 1 changed, 2 broken", sum)
	}
}
