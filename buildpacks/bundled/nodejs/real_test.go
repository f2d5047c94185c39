package nodejs_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"slipway/internal/testkit/mirror"
)

// seed is the layers of a first build, with a real Node.js and its npm, for all
// tests that need one.
var seed struct {
	once   sync.Once
	layers string // "" if it could not be made
}

// realPlatform is a platform that has Node.js from a build before, and a registry
// with real packages. It has no other package manager yet.
func realPlatform(t *testing.T, files map[string]string) (*platform, *mirror.Registry) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a real Node.js, which -short leaves out")
	}
	registry := mirror.NPM(t)
	seed.once.Do(func() {
		first := newPlatform(t, registry.URL, map[string]string{"server.js": ""})
		out, code := first.Run("build")
		if code != 0 || !strings.Contains(out, "Downloading and installing node ") {
			t.Fatalf("the first build = %d:\n%s", code, out)
		}
		first.NextBuild()
		dir, err := os.MkdirTemp("", "slipway-nodejs-") //nolint:usetesting // other tests use it, after this one
		if err := errors.Join(err, os.Rename(first.Layers, filepath.Join(dir, "layers"))); err != nil {
			t.Fatal(err)
		}
		seed.layers = filepath.Join(dir, "layers")
	})
	if seed.layers == "" {
		t.Fatal("there is no Node.js: see the test that made the first build")
	}
	p := newPlatform(t, registry.URL, files)
	p.Remove(p.Layers)
	// Links to Node.js, which nothing writes into. The rest is written in place, and
	// must not be that of other tests.
	script := `mkdir "$1" && cp -al "$0"/node "$1" && cd "$0" && for x in *; do [ "$x" = node ] || cp -a "$x" "$1" || exit; done`
	if out, err := exec.CommandContext(t.Context(), "sh", "-c", script, seed.layers, p.Layers).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v\n%s", err, out)
	}
	return p, registry
}

const check = `node -p 'require("is-number")(7) + " " + require("./dist/built.json").built'`

func TestSampleIsInstalledFromWhatWasKept(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"npm", "yarn", "pnpm"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, registry := realPlatform(t, nil)
			p.sample("nodejs-" + name)
			first := p.Build()
			if !strings.Contains(first, "       Wrote dist/built.json\n") {
				t.Errorf("the first build = \n%s", first)
			}
			if out := p.launch(check + "; ls node_modules; command -v " + name); !strings.HasPrefix(out, "true good for 1 hour\nis-number\n"+p.Layers) {
				t.Errorf("launch = %s", out)
			}
			was := p.sums()

			before := len(registry.Seen())
			p.NextBuild()
			second := p.Build()
			for _, path := range registry.Seen()[before:] {
				if strings.HasSuffix(path, ".tgz") {
					t.Errorf("the second build fetched %s:\n%s", path, second)
				}
			}
			now := p.sums()
			for file, sum := range was {
				if now[file] != sum {
					t.Errorf("%s differs between two builds: %q, %q", file, sum, now[file])
				}
			}
			if len(was) != len(now) || len(was) < 10 {
				t.Errorf("%d and %d files, want as many", len(was), len(now))
			}
		})
	}
}

func TestYarnPlugAndPlay(t *testing.T) {
	t.Parallel()
	p, _ := realPlatform(t, nil)
	if err := os.CopyFS(p.App, os.DirFS("testdata/pnp")); err != nil {
		t.Fatal(err)
	}
	p.Build()
	out := p.launch("ls -a; yarn start 2>&1 || true")
	if strings.Contains(out, "node_modules") || !strings.Contains(out, ".pnp.cjs\n") || !strings.Contains(out, "\ntrue\n") || !strings.Contains(out, "tried to access ms, but it isn't declared") {
		t.Errorf("yarn start = %s, want is-number from Yarn's archives, and no ms", out)
	}
	if l := p.Layer("downloads"); !l.Types.Launch {
		t.Errorf("types of downloads = %+v, want it at launch", l.Types)
	}
}
