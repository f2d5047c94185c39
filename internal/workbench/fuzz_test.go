package workbench_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"slipway/buildpacks/detector"
	"slipway/internal/workbench"
)

// An update keeps what is not judged, and makes the case pass. A file that cannot
// be read stays as it is.
func FuzzUpdate(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"language": "go"}`, "{\n\t\"heroku\": {\"a\": [1, 2.50, \"<é>\"]},\n\t\"group\": [\"acme/rake@1\"],\n\t\"plan\": 3\n}",
		`{"group": null, "plan": [{"providers": null}, 7], "processes": []}`, `[1]`, `{"a": 1, "a": 2}`, `{"a"`, "\ufeff{}", `{"": ""} x`,
		`{"exit_code": 1e400, "error": "\ud800"}`, `{"env": {"A": "b"}, "target": "linux/arm64", "buildpacks": ["x"]}`, "{\r\n  \"message\": \"\"\r\n}",
	} {
		f.Add(seed)
	}
	d := fake{packs: []string{"rake"}, inProcess: true}
	f.Fuzz(func(t *testing.T, content string) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "app", "rake"), "", false)
		file := filepath.Join(dir, "expected.json")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		test := func(update bool) workbench.Case {
			t.Helper()
			cfg := workbench.TestConfig{Trees: []string{dir}, Update: update, Open: func(context.Context, detector.Source) (workbench.DetectCloser, error) { return d, nil }}
			var only workbench.Case
			if _, err := workbench.Test(t.Context(), cfg, func(c workbench.Case) error { only = c; return nil }); err != nil {
				t.Fatal(err)
			}
			return only
		}
		first := test(true)
		after := read(t, file)
		if first.Outcome == workbench.Broken || first.Outcome == workbench.Passed {
			if after != content {
				t.Fatalf("a %s case's file is %q, want it as it was: %q (%s)", first.Outcome, after, content, first.Err)
			}
			return
		}
		if again := test(false); again.Outcome != workbench.Passed {
			t.Fatalf("after an update of %q to %q the case is %s: %s%s", content, after, again.Outcome, again.Err, again.Diff)
		}
		var was, is map[string]json.RawMessage
		if err := json.Unmarshal([]byte(content), &was); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(after), &is); err != nil {
			t.Fatal(err)
		}
		for key, value := range was {
			if !slices.Contains(first.Keys, key) && !bytes.Equal(is[key], value) {
				t.Errorf("an update of %q made %q: %q is %s, want %s", content, after, key, is[key], value)
			}
		}
	})
}
