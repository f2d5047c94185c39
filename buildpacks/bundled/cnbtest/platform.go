package cnbtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

// Main runs the tests, or the buildpack where the test binary stands in for its
// bin/detect or bin/build, and returns the exit code.
func Main(ctx context.Context, m *testing.M, buildpack func(ctx context.Context, args, environ []string, out io.Writer) int) int {
	switch filepath.Base(os.Args[0]) {
	case "detect", "build":
		return buildpack(ctx, os.Args, os.Environ(), os.Stdout)
	}
	return m.Run()
}

// A Platform runs the buildpack as the lifecycle does, over one app.
type Platform struct {
	T       *testing.T
	Dir     string // all is below it
	App     string
	Layers  string
	Env     map[string]string // of the build: what the platform gives
	Environ []string          // of the process, beside the CNB_ variables
}

// New is one over the files of an app, for the buildpack of this buildpack.toml.
func New(t *testing.T, descriptor string, files map[string]string) *Platform {
	t.Helper()
	dir := t.TempDir()
	p := &Platform{T: t, Dir: dir, App: filepath.Join(dir, "workspace"), Layers: filepath.Join(dir, "layers"), Env: map[string]string{}}
	bin := filepath.Join(dir, "buildpack", "bin")
	for _, d := range []string{p.App, p.Layers, bin} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"detect", "build"} {
		if err := os.Symlink(self, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	p.Write(dir, map[string]string{"buildpack/buildpack.toml": descriptor, "plan.toml": ""})
	p.Write(p.App, files)
	return p
}

// Write makes files below dir.
func (p *Platform) Write(dir string, files map[string]string) {
	p.T.Helper()
	for name, content := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			p.T.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			p.T.Fatal(err)
		}
	}
}

// Remove removes a file, or a directory with all that is in it.
func (p *Platform) Remove(path string) {
	p.T.Helper()
	if err := os.RemoveAll(path); err != nil {
		p.T.Fatal(err)
	}
}

// Run runs bin/detect or bin/build, and gives its output and exit code.
func (p *Platform) Run(name string) (string, int) {
	p.T.Helper()
	platform := filepath.Join(p.Dir, "platform")
	env := filepath.Join(platform, "env")
	if err := errors.Join(os.RemoveAll(env), os.MkdirAll(env, 0o755)); err != nil {
		p.T.Fatal(err)
	}
	p.Write(env, p.Env)
	cmd := exec.CommandContext(p.T.Context(), filepath.Join(p.Dir, "buildpack", "bin", name))
	cmd.Dir = p.App
	cmd.Env = slices.Concat(p.Environ, []string{
		"CNB_BUILDPACK_DIR=" + filepath.Join(p.Dir, "buildpack"), "CNB_LAYERS_DIR=" + p.Layers,
		"CNB_PLATFORM_DIR=" + platform, "CNB_BP_PLAN_PATH=" + filepath.Join(p.Dir, "plan.toml"),
		"CNB_BUILD_PLAN_PATH=" + filepath.Join(p.Dir, "buildplan.toml"), "CNB_STACK_ID=test.stack",
	})
	out, err := cmd.CombinedOutput()
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		p.T.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// Build runs bin/build, which must succeed.
func (p *Platform) Build() string {
	p.T.Helper()
	out, code := p.Run("build")
	if code != 0 {
		p.T.Fatalf("bin/build = %d, want 0:\n%s", code, out)
	}
	return out
}

// A Layer is what a layer's toml says.
type Layer struct {
	Types    struct{ Launch, Build, Cache bool }
	Metadata map[string]any
}

// Layer reads a layer's toml.
func (p *Platform) Layer(name string) Layer {
	p.T.Helper()
	l, _ := p.layer(name)
	return l
}

// layer also tells whether the toml says types.
func (p *Platform) layer(name string) (Layer, bool) {
	p.T.Helper()
	var l Layer
	meta, err := toml.DecodeFile(filepath.Join(p.Layers, name+".toml"), &l)
	if err != nil {
		p.T.Fatal(err)
	}
	return l, meta.IsDefined("types")
}

// madeLayers are the layers of the last build, by name.
func (p *Platform) madeLayers() map[string]Layer {
	p.T.Helper()
	made := map[string]Layer{}
	for _, file := range p.glob("*.toml") {
		name := strings.TrimSuffix(filepath.Base(file), ".toml")
		// launch.toml and its like say no types, nor do layers where the build failed.
		if l, ok := p.layer(name); ok {
			made[name] = l
		}
	}
	return made
}

func (p *Platform) glob(pattern string) []string {
	p.T.Helper()
	found, err := filepath.Glob(filepath.Join(p.Layers, pattern))
	if err != nil {
		p.T.Fatal(err)
	}
	return found
}

// NextBuild leaves in the layers directory what the lifecycle restores: the
// metadata, without types, and the content of cached layers only.
func (p *Platform) NextBuild() {
	p.T.Helper()
	for name, l := range p.madeLayers() {
		if !l.Types.Cache {
			p.Remove(filepath.Join(p.Layers, name))
		}
		var b bytes.Buffer
		if err := toml.NewEncoder(&b).Encode(map[string]any{"metadata": l.Metadata}); err != nil {
			p.T.Fatal(err)
		}
		p.Write(p.Layers, map[string]string{name + ".toml": b.String()})
	}
	p.Remove(filepath.Join(p.Layers, "launch.toml"))
}

// LaunchEnv is the environment that the launcher makes of base, which has PATH,
// and of the layers.
func (p *Platform) LaunchEnv(base map[string]string) []string {
	p.T.Helper()
	env, made := maps.Clone(base), p.madeLayers()
	for _, name := range slices.Sorted(maps.Keys(made)) {
		if made[name].Types.Launch {
			env["PATH"] = filepath.Join(p.Layers, name, "bin") + ":" + env["PATH"]
		}
	}
	for _, file := range p.glob("*/env.launch/*") {
		value, err := os.ReadFile(file)
		if err != nil {
			p.T.Fatal(err)
		}
		name, action, _ := strings.Cut(filepath.Base(file), ".")
		switch action {
		case "prepend":
			env[name] = string(value) + ":" + env[name]
		case "append":
			env[name] += ":" + string(value)
		case "override", "default":
			env[name] = string(value)
		}
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

// WantIn reports each of want that is not in a build's output.
func WantIn(t *testing.T, out string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(out, w) {
			t.Errorf("output has no %q:\n%s", w, out)
		}
	}
}
