package buildpacks_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"slipway/buildpacks"
)

var (
	typeForm    = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	versionForm = regexp.MustCompile(`^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))?$`)
)

func FuzzParseProcfile(f *testing.F) {
	for _, seed := range []string{"web: a", "a_B: c\n#x\n\n d: e", "web:\n", ":", "\ufeffweb: a", "web: a\r\nweb: b"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := buildpacks.ParseProcfile(data)
		if err != nil {
			failure(t, err)
			return
		}
		var again strings.Builder
		for _, proc := range p.Processes {
			if !typeForm.MatchString(proc.Type) || proc.Command == "" || strings.ContainsAny(proc.Command, "\n\x00") {
				t.Fatalf("ParseProcfile(%q) has %+v", data, proc)
			}
			again.WriteString(proc.Type + ": " + proc.Command + "\n")
		}
		q, err := buildpacks.ParseProcfile([]byte(again.String()))
		if err != nil || len(q.Processes) != len(p.Processes) {
			t.Fatalf("ParseProcfile(%q) = %v, %v, want the same again", again.String(), q, err)
		}
	})
}

func fuzzDetect(t *testing.T, files map[string]string, origin string) {
	t.Helper()
	plan, err := buildpacks.Detect(t.Context(), tree(files), has)
	failure(t, err)
	if plan.Language != "python" {
		t.Fatalf("language = %q, want python", plan.Language)
	}
	if v := plan.Version; v.Origin == origin && !versionForm.MatchString(v.Requested) {
		t.Fatalf("version = %q", v.Requested)
	}
	if _, err := json.Marshal(plan); err != nil {
		t.Fatal(err)
	}
	if plan.Explain() == "" {
		t.Fatal("nothing is explained")
	}
}

func FuzzRuntimeTxt(f *testing.F) {
	for _, seed := range []string{"python-3.13", "#\n python-3.12.0 ", "\xff\xfe", "python-3.13\npython-3.12", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !strings.HasPrefix(text, "->") {
			fuzzDetect(t, pip("runtime.txt", text), "runtime.txt")
		}
	})
}

func FuzzPythonVersionFile(f *testing.F) {
	for _, seed := range []string{"3.13", "#\n 3.12.0 ", "\xff\xfe3\x00", "3.13\n3.12", "\u200b3.1", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !strings.HasPrefix(text, "->") {
			fuzzDetect(t, pip(".python-version", text), ".python-version")
		}
	})
}

func FuzzPipfileLock(f *testing.F) {
	for _, seed := range []string{`{"_meta":{"requires":{"python_version":"3.13"}}}`, "null", "[", `{"_meta":1}`, `1 2`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !strings.HasPrefix(text, "->") {
			fuzzDetect(t, map[string]string{"Pipfile.lock": text}, "Pipfile.lock")
		}
	})
}

func FuzzNodeAndGo(f *testing.F) {
	f.Add(`{"engines":{"node":"22.x"},"packageManager":"yarn@1.2.3"}`, "go 1.2\n", "yarnPath: a")
	f.Fuzz(func(t *testing.T, pkg, mod, rc string) {
		for _, text := range []string{pkg, mod, rc} {
			if strings.HasPrefix(text, "->") {
				return
			}
		}
		for _, files := range []map[string]string{{"package.json": pkg, ".yarnrc.yml": rc}, {"go.mod": mod}} {
			plan, err := buildpacks.Detect(t.Context(), tree(files), has)
			var bad *buildpacks.DetectError
			if err != nil && !errors.As(err, &bad) {
				t.Fatal(err)
			}
			failure(t, err)
			if plan.Explain() == "" {
				t.Fatal("nothing is explained")
			}
		}
	})
}

// fuzzed are the names that decide, one for each bit of a fuzzed number.
var fuzzed = []string{
	"requirements.txt", "Pipfile", "Pipfile.lock", "poetry.lock", "uv.lock", "setup.py", "runtime.txt", ".python-version",
	"python-version", "venv/pyvenv.cfg", ".heroku/python/bin/python", "package.json", "yarn.lock", ".yarnrc.yml", "index.js",
	"go.mod", "vendor/modules.txt", "main.go", "Procfile", "Gemfile", "Gemfile.lock", "composer.json", "index.html", "public/index.html",
}

// FuzzDetect makes any mixture of files, folders and links.
func FuzzDetect(f *testing.F) {
	f.Add(uint32(1<<6|1), uint32(0), "python-3.13", "runtime.txt")
	f.Add(uint32(1<<7|1), uint32(1<<7), "->requirements.txt", "x")
	f.Add(uint32(1<<18), uint32(0), "web: a", "\n")
	f.Fuzz(func(t *testing.T, have, folders uint32, content, name string) {
		files := map[string]string{}
		if fs.ValidPath(name) && name != "." {
			files[name] = content
		}
		for i, name := range fuzzed {
			switch {
			case have&(1<<i) == 0:
			case folders&(1<<i) != 0:
				files[name+"/inside"] = content
			default:
				files[name] = content
			}
		}
		plan, err := buildpacks.Detect(t.Context(), tree(files), has)
		failure(t, err)
		again, errAgain := buildpacks.Detect(t.Context(), tree(files), has)
		if !reflect.DeepEqual(plan, again) || (err == nil) != (errAgain == nil) {
			t.Fatalf("Detect of %q = %+v, %v, and again %+v, %v", files, plan, err, again, errAgain)
		}
		if plan.Language == "" && err == nil && len(plan.Processes) == 0 {
			t.Fatalf("Detect of %q finds nothing, and has no error", files)
		}
		if _, err := json.Marshal(plan); err != nil {
			t.Fatal(err)
		}
		if plan.Explain() == "" {
			t.Fatal("nothing is explained")
		}
	})
}
