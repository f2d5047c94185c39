package golang_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"slipway/buildpacks"
	"slipway/buildpacks/bundled/cnbtest"
	"slipway/buildpacks/bundled/golang"
)

func TestDetectIsForGo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files fstest.MapFS
		want  bool
	}{
		"a module":           {fstest.MapFS{"go.mod": {Data: []byte("module x\n")}}, true},
		"one that is broken": {fstest.MapFS{"go.mod": {Data: []byte("module x\ngo nine\n")}}, true},
		"a workspace":        {fstest.MapFS{"go.work": {}}, true},
		"before modules":     {fstest.MapFS{"Gopkg.lock": {}}, true},
		"Python with tools":  {fstest.MapFS{"requirements.txt": {}, "go.mod": {}}, false},
		"static":             {fstest.MapFS{"index.html": {}}, false},
	} {
		var app fs.FS = c.files
		plan, _ := buildpacks.Detect(t.Context(), app, buildpacks.Options{}) // some are broken
		if got := golang.Detect(app, plan); got.Pass != c.want {
			t.Errorf("%s: Detect = %v, want %v", name, got.Pass, c.want)
		}
	}
}

func TestChoosesThePrograms(t *testing.T) {
	t.Parallel()
	proxy := newFakeProxy(t, nil, "1.26.8")
	for name, c := range map[string]struct {
		files  map[string]string
		env    map[string]string
		want   string // programs
		web    string
		output string
	}{
		"the only one": {
			files: map[string]string{"programs": "example.com/app ."}, want: "app", web: "app",
		},
		"a later major version": {
			files: map[string]string{"programs": "example.com/app ."}, env: map[string]string{"GO_LINKER_SYMBOL": "main.version", "GO_LINKER_VALUE": "1 2"},
			want: "app", web: "app", output: "-ldflags -X 'main.version=1 2'",
		},
		"root and cmd, not examples": {
			files: map[string]string{"programs": "example.com/app .\nexample.com/app/cmd/worker cmd/worker\nexample.com/app/examples/x examples/x"},
			want:  "app worker", web: "app", output: "-----> Not compiling example.com/app/examples/x\n",
		},
		"one that the Procfile calls": {
			files: map[string]string{"programs": "example.com/app .\nexample.com/app/server server", "Procfile": "web: PORT=1 bin/server -v\n"},
			want:  "app server", web: "app",
		},
		"anywhere, if nowhere else": {
			files: map[string]string{"programs": "example.com/app/a a\nexample.com/app/b b"},
			want:  "a b", output: " !     Warning: No web process was declared.\n",
		},
		"one is web": {
			files: map[string]string{"programs": "example.com/app/cmd/api cmd/api\nexample.com/app/cmd/web cmd/web"}, want: "api web", web: "web",
		},
		"by the comment": {
			files: map[string]string{"go.mod": "module example.com/app\n// +heroku install ./cmd/one ./cmd/two\ngo 1.26\n"},
			want:  "one two", output: "Using the packages of '// +heroku install' in go.mod",
		},
		"by the setting, which wins": {
			files: map[string]string{"go.mod": "module example.com/app\n// +heroku install ./cmd/one\ngo 1.26\n"},
			env:   map[string]string{"GO_INSTALL_PACKAGE_SPEC": "./cmd/three"},
			want:  "three", web: "three",
		},
		"a workspace": {
			files: map[string]string{"go.mod": "", "go.work": "go 1.26\n\nuse ./api\n", "programs": "example.com/api api"},
			want:  "api", web: "api", output: "Using Go 1.26 specified in go.work",
		},
		"none": {
			files: map[string]string{"programs": ""}, output: " !     Error: There is no program to compile.\n",
		},
		"before modules": {
			files: map[string]string{"go.mod": "", "Gopkg.lock": ""}, output: " !     manages its dependencies with dep (Gopkg.lock).\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newApp(t, proxy, "go 1.26")
			p.Write(p.App, c.files)
			maps.Copy(p.Env, c.env)
			if text, ok := c.files["go.mod"]; ok && text == "" {
				if err := os.Remove(filepath.Join(p.App, "go.mod")); err != nil {
					t.Fatal(err)
				}
			}
			out, code := p.Run("build")
			var programs []string
			entries, _ := os.ReadDir(filepath.Join(p.Layers, "programs", "bin")) // none is fine
			for _, e := range entries {
				programs = append(programs, e.Name())
			}
			if got := strings.Join(programs, " "); got != c.want || (code == 0) != (c.want != "") {
				t.Errorf("bin/build = %d with programs %q, want %q:\n%s", code, got, c.want, out)
			}
			if got := p.web(); got != c.web {
				t.Errorf("web = %q, want %q:\n%s", got, c.web, out)
			}
			cnbtest.WantIn(t, out, c.output)
		})
	}
}

func TestCachesBeginAnew(t *testing.T) {
	t.Parallel()
	p := newApp(t, newFakeProxy(t, nil, "1.25.14", "1.26.8"), "go 1.26")
	p.Build()
	p.Write(p.Layers, map[string]string{"compiled/x": "a compiled package", "modules/x": "a module"})
	for _, step := range []struct {
		lines, uses       string
		modules, compiled bool // are still there
	}{
		{"go 1.26", "7", true, true},
		{"go 1.25", "8", true, false},
		{"go 1.25", "100", false, false},
	} {
		p.NextBuild()
		p.Write(p.App, map[string]string{"go.mod": "module example.com/app\n" + step.lines + "\n"})
		p.Write(p.Layers, map[string]string{"modules.toml": "[metadata]\nlayout = \"1\"\nuses = \"" + step.uses + "\"\n"})
		out := p.Build()
		for name, want := range map[string]bool{"modules/x": step.modules, "compiled/x": step.compiled} {
			if _, err := os.Stat(filepath.Join(p.Layers, name)); (err == nil) != want {
				t.Errorf("with %q, used %s times: %s is there = %v, want %v:\n%s", step.lines, step.uses, name, err == nil, want, out)
			}
		}
	}
}
