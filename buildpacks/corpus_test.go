package buildpacks_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"slipway/buildpacks"
)

// corpus is the directory of cases beside the repository. Its absence is a
// failure: without it nothing here is proved.
func corpus(t *testing.T, kind string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the package")
		}
	}
	dir = filepath.Join(dir, "..", "shared", "corpus", kind)
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("the corpus is missing: %v", err)
	}
	return dir
}

func cases(t *testing.T, kind string, atLeast int) []string {
	t.Helper()
	entries, err := os.ReadDir(corpus(t, kind))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if len(names) < atLeast {
		t.Fatalf("%d cases of %s, want at least %d", len(names), kind, atLeast)
	}
	return names
}

func readJSON(t *testing.T, file string) map[string]any {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var value map[string]any
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return value
}

func TestDetectAnswersAsHerokuDoes(t *testing.T) {
	t.Parallel()
	for _, name := range cases(t, "detect", 181) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(corpus(t, "detect"), name)
			want := readJSON(t, filepath.Join(dir, "expected.json"))
			plan, err := buildpacks.Detect(t.Context(), os.DirFS(filepath.Join(dir, "app")), buildpacks.Options{})
			var bad *buildpacks.DetectError
			if err != nil && !errors.As(err, &bad) {
				t.Fatalf("Detect: %v", err)
			}
			data, err := json.Marshal(plan)
			if err != nil {
				t.Fatal(err)
			}
			var got map[string]any
			if err := json.Unmarshal(data, &got); err != nil {
				t.Fatal(err)
			}
			for _, key := range []string{"language", "package_manager", "version_requested", "version_origin", "version_resolved", "error"} {
				if value, judged := want[key]; judged && got[key] != value {
					t.Errorf("%s = %v, want %v", key, got[key], value)
				}
			}
			classic, _ := want["heroku_classic"].(map[string]any)
			if message := classic["message"]; message != nil && got["message"] != message {
				t.Errorf("message = %v, want %v", got["message"], message)
			}
			if want["language"] == nil && len(plan.Processes) == 0 && !errors.Is(bad, buildpacks.ErrNoLanguage) {
				t.Errorf("Detect = %v, want ErrNoLanguage", bad)
			}
		})
	}
}

func TestParseProcfileAnswersAsHerokuDoes(t *testing.T) {
	t.Parallel()
	for _, name := range cases(t, "procfile", 22) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(corpus(t, "procfile"), name)
			want := readJSON(t, filepath.Join(dir, "expected.json"))
			data, err := os.ReadFile(filepath.Join(dir, "Procfile"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := buildpacks.ParseProcfile(data)
			if failed := err != nil; failed != want["error"].(bool) {
				t.Fatalf("ParseProcfile = %v, want an error: %v", err, want["error"])
			}
			if err != nil {
				return
			}
			processes := map[string]any{}
			var byDefault any
			for _, proc := range got.Processes {
				processes[proc.Type] = proc.Command
				if proc.Default {
					byDefault = proc.Type
				}
			}
			if expected, _ := want["processes"].(map[string]any); !maps.Equal(processes, expected) {
				t.Errorf("processes = %v, want %v", processes, expected)
			}
			if byDefault != want["default_process"] {
				t.Errorf("default process = %v, want %v", byDefault, want["default_process"])
			}
			if n := float64(len(got.Warnings)); n != want["warnings"] {
				t.Errorf("%v warnings, want %v: %v", n, want["warnings"], slices.Collect(titles(got.Warnings)))
			}
		})
	}
}

func titles(warnings []buildpacks.Warning) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, w := range warnings {
			if !yield(w.Lines[0]) {
				return
			}
		}
	}
}
