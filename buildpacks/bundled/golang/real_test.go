package golang_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"slipway/buildpacks/bundled/cnbtest"
	"slipway/internal/testkit"
	"slipway/internal/testkit/mirror"
)

// TestRealGo builds apps one after the other with a real toolchain out of a real
// module proxy. They share their layers, since Go takes long to unpack and to
// check.
func TestRealGo(t *testing.T) {
	if testing.Short() {
		t.Skip("downloads and unpacks a Go: not with -short")
	}
	t.Parallel()
	p := newPlatform(t, nil)
	shareBuildCache(t, p)
	proxy := mirror.GoProxy(t)
	p.Env["GOPROXY"] = proxy
	use := func(t *testing.T, app string) {
		t.Helper()
		p.T = t
		p.NextBuild()
		p.Remove(p.App)
		if err := os.CopyFS(p.App, os.DirFS(filepath.Join(testkit.Root(t), "testdata", "apps", app))); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("the first build installs", func(t *testing.T) {
		use(t, "go-hello")
		out := p.Build()
		cnbtest.WantIn(t, out, "-----> Using Go 1.26.8 specified in go.mod", "-----> Installing Go 1.26.8", "go: downloading github.com/google/uuid v1.6.0",
			"-----> Running 'go build -trimpath example.com/go-hello'", "Compiled go-hello")
		wantNotIn(t, out, "Warning")
		if got := p.web(); got != "go-hello" {
			t.Errorf("web = %q, want go-hello", got)
		}
		version, err := exec.CommandContext(t.Context(), "go", "version", "-m", p.program("go-hello")).CombinedOutput()
		if err != nil || !strings.Contains(string(version), "go-hello: go1.26.8\n") || !strings.Contains(string(version), "CGO_ENABLED=0") {
			t.Errorf("go version -m = %v\n%s, want go1.26.8 without cgo", err, version)
		}
	})
	t.Run("the second uses the cache", func(t *testing.T) {
		use(t, "go-hello")
		out := p.Build()
		cnbtest.WantIn(t, out, "-----> Using cached install of Go 1.26.8", "Compiled go-hello")
		wantNotIn(t, out, "downloading")
	})
	t.Run("vendored, with two programs and hooks", func(t *testing.T) {
		use(t, "go-vendor")
		p.Write(p.App, map[string]string{
			"bin/go-pre-compile":  "#!/bin/sh\necho \"before with $(go version | cut -d' ' -f3)\"\n",
			"bin/go-post-compile": "#!/bin/sh\ncommand -v server\n",
		})
		p.Env["GOPROXY"] = "off"
		out := p.Build()
		p.Env["GOPROXY"] = proxy
		cnbtest.WantIn(t, out, "before with go1.26.8", "-mod=vendor", "Compiled server, worker", p.program("server"))
		if target, err := os.Readlink(filepath.Join(p.App, "bin", "server")); err != nil || target != p.program("server") {
			t.Errorf("bin/server = %q, %v, want a link to %q", target, err, p.program("server"))
		}
		if out, err := exec.CommandContext(t.Context(), p.program("worker"), "-h").CombinedOutput(); err != nil || !strings.Contains(string(out), "-every") {
			t.Errorf("worker -h = %v\n%s, want its flags", err, out)
		}
	})
	for name, c := range map[string]struct {
		change map[string]string
		want   []string
	}{
		"vendor of another go.mod": {
			map[string]string{"vendor/modules.txt": "# example.com/other v1.0.0\n## explicit\nexample.com/other\n"},
			[]string{"inconsistent vendoring", "!     Error: Your app's vendor directory isn't what go.mod asks for.", "go mod vendor"},
		},
		"code that does not compile": {
			map[string]string{"cmd/server/main.go": "package main\n\nfunc main() { undefined() }\n"},
			[]string{"main.go:3:15: undefined: undefined", "!     Error: Unable to compile your app."},
		},
		"a hook that fails": {
			map[string]string{"bin/go-pre-compile": "#!/bin/sh\nexit 3\n"},
			[]string{"!     Error: Failed to run the bin/go-pre-compile script."},
		},
		"a package that is not there": {
			map[string]string{"go.mod": "module example.com/go-vendor\n\n// +heroku goVersion go1.26.8\n// +heroku install ./cmd/nowhere\ngo 1.24\n\nrequire example.com/greeting v0.0.0\n\nreplace example.com/greeting => ./greeting\n"},
			[]string{"Using the packages of '// +heroku install' in go.mod", "!     Error: Unable to compile your app."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			use(t, "go-vendor")
			p.Write(p.App, c.change)
			out, code := p.Run("build")
			if code != 1 {
				t.Errorf("bin/build = %d, want 1:\n%s", code, out)
			}
			cnbtest.WantIn(t, out, c.want...)
		})
	}
}

// shareBuildCache puts this machine's build cache where the layer of compiled
// packages is: to compile Go's library again says nothing about the buildpack.
func shareBuildCache(t *testing.T, p *platform) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(strings.TrimSpace(string(out)), filepath.Join(p.Layers, "compiled")); err != nil {
		t.Fatal(err)
	}
}

func (p *platform) program(name string) string {
	return filepath.Join(p.Layers, "programs", "bin", name)
}

func wantNotIn(t *testing.T, text string, unwanted ...string) {
	t.Helper()
	for _, w := range unwanted {
		if strings.Contains(text, w) {
			t.Errorf("output has %q:\n%s", w, text)
		}
	}
}
