package build

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/buildpacks"
)

func TestTranslate(t *testing.T) {
	t.Parallel()
	heroku := map[string]bool{"heroku/python": true, "heroku/python@6.5.6": true, "heroku/nodejs": true}
	paketo := map[string]bool{"paketo-buildpacks/python": true, "paketo-buildpacks/cpython": true}
	google := map[string]bool{"google.python.runtime": true, "google.nodejs.npm": true}
	type env = map[string]string
	for name, c := range map[string]struct {
		have            map[string]bool
		origin, version string
		env             env
		files           env // left, of the two
		want            env // the environment behind
		says            string
	}{
		"heroku": {heroku, "runtime.txt", "3.13", env{}, env{".python-version": "3.13\n"}, env{}, "fails on runtime.txt"},
		"heroku, .python-version": {
			heroku, ".python-version", "3.13", env{}, env{"runtime.txt": "python-3.13", ".python-version": "3.9"}, env{}, "",
		},
		"paketo": {
			paketo, "runtime.txt", "3.13", env{}, env{"runtime.txt": "python-3.13", ".python-version": "3.9"}, env{"BP_CPYTHON_VERSION": "3.13.*"}, "reads BP_CPYTHON_VERSION",
		},
		"paketo, a full version in .python-version": {
			paketo, ".python-version", "3.13.1", env{}, env{"runtime.txt": "python-3.13", ".python-version": "3.9"}, env{"BP_CPYTHON_VERSION": "3.13.1"}, "Translating .python-version",
		},
		"paketo, and the app says it": {
			paketo, "runtime.txt", "3.13", env{"BP_CPYTHON_VERSION": "3.12.*"}, env{"runtime.txt": "python-3.13", ".python-version": "3.9"}, env{"BP_CPYTHON_VERSION": "3.12.*"}, "stays as it is",
		},
		"google": {
			google, "runtime.txt", "3.13", env{}, env{"runtime.txt": "python-3.13", ".python-version": "3.13\n"}, env{"GOOGLE_RUNTIME_VERSION": "3.13.*"}, "reads GOOGLE_RUNTIME_VERSION",
		},
		"google, and the app says it": {
			google, "runtime.txt", "3.13.2", env{"GOOGLE_PYTHON_VERSION": "3.12"}, env{"runtime.txt": "python-3.13", ".python-version": "3.13.2\n"}, env{"GOOGLE_PYTHON_VERSION": "3.12"}, "GOOGLE_PYTHON_VERSION is set",
		},
		"ours in another builder": {
			map[string]bool{"slipway/python": true}, "runtime.txt", "3.13", env{}, env{"runtime.txt": "python-3.13", ".python-version": "3.9"}, env{}, "",
		},
		"one that nobody knows": {
			map[string]bool{"x/y": true}, "runtime.txt", "3.13", env{}, env{"runtime.txt": "python-3.13", ".python-version": "3.13\n"}, env{}, "A Python buildpack of this builder reads .python-version.",
		},
		"no version": {heroku, "default", "3.14", env{}, env{"runtime.txt": "python-3.13", ".python-version": "3.9"}, env{}, ""},
	} {
		dir := t.TempDir()
		for file, text := range map[string]string{"runtime.txt": "python-3.13", ".python-version": "3.9"} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var out bytes.Buffer
		plan := &buildpacks.Plan{Language: "python", Version: buildpacks.Version{Origin: c.origin, Requested: c.version}}
		if err := (translation{dir: dir, env: c.env, have: c.have, t: newTranscript(&out, false)}).python(plan, "x/builder"); err != nil {
			t.Errorf("%s: python() = %v", name, err)
		}
		left := env{}
		for _, file := range []string{"runtime.txt", ".python-version"} {
			if text, err := os.ReadFile(filepath.Join(dir, file)); err == nil {
				left[file] = string(text)
			}
		}
		if !maps.Equal(left, c.files) || !maps.Equal(c.env, c.want) {
			t.Errorf("%s: left are %q and the environment %q, want %q and %q", name, left, c.env, c.files, c.want)
		}
		if got := out.String(); (got == "") != (c.says == "") || !strings.Contains(got, c.says) {
			t.Errorf("%s: it says %q, want %q", name, got, c.says)
		}
	}
}

func TestLostProcesses(t *testing.T) {
	t.Parallel()
	plan := &buildpacks.Plan{Processes: []buildpacks.Process{{Type: "web"}, {Type: "my-worker"}}}
	got := strings.Join(lostProcesses(plan, []Process{{Type: "web"}, {Type: "my_worker"}}), "|")
	if !strings.Contains(got, "Procfile: my-worker|") || !strings.Contains(got, "has: my_worker, web") {
		t.Errorf("lostProcesses() = %q, want my-worker, and what there is", got)
	}
	if got := lostProcesses(plan, []Process{{Type: "my-worker"}, {Type: "web"}}); got != nil {
		t.Errorf("lostProcesses() of all = %q", got)
	}
	if got := lostProcesses(nil, nil); got != nil {
		t.Errorf("lostProcesses() of no plan = %q", got)
	}
}
