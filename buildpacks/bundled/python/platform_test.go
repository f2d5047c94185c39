package python_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

// A platform runs the buildpack as the lifecycle does, over one app.
type platform struct {
	t      *testing.T
	dir    string
	app    string
	layers string
	env    map[string]string
}

func newPlatform(t *testing.T, root string, files map[string]string) *platform {
	t.Helper()
	dir := t.TempDir()
	p := &platform{t: t, dir: dir, app: filepath.Join(dir, "workspace"), layers: filepath.Join(dir, "layers"), env: map[string]string{}}
	descriptor, err := os.ReadFile("buildpack.toml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(descriptor), `root = "/opt/slipway/python"`, `root = "`+root+`"`, 1)
	p.write(map[string]string{"buildpack/buildpack.toml": text, "plan.toml": "", "buildpack/bin/.keep": "", "platform/env/.keep": ""}, dir)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"detect", "build"} {
		if err := os.Symlink(self, filepath.Join(dir, "buildpack", "bin", name)); err != nil {
			t.Fatal(err)
		}
	}
	p.write(files, p.app)
	return p
}

// write makes files below dir; "bin/x" is executable.
func (p *platform) write(files map[string]string, dir string) {
	p.t.Helper()
	for name, content := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			p.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *platform) run(name string) (string, int) {
	p.t.Helper()
	for key, value := range p.env {
		p.write(map[string]string{"platform/env/" + key: value}, p.dir)
	}
	if err := os.MkdirAll(p.app, 0o755); err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.CommandContext(p.t.Context(), filepath.Join(p.dir, "buildpack", "bin", name))
	cmd.Dir = p.app
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + p.dir, "PYTHONPATH=/nowhere", "PYTHONHOME=/nowhere",
		"CNB_BUILDPACK_DIR=" + filepath.Join(p.dir, "buildpack"), "CNB_LAYERS_DIR=" + p.layers,
		"CNB_PLATFORM_DIR=" + filepath.Join(p.dir, "platform"), "CNB_BP_PLAN_PATH=" + filepath.Join(p.dir, "plan.toml"),
		"CNB_BUILD_PLAN_PATH=" + filepath.Join(p.dir, "buildplan.toml"), "CNB_STACK_ID=test.stack",
	}
	out, err := cmd.CombinedOutput()
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		p.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// build runs bin/build, which must succeed.
func (p *platform) build() string {
	p.t.Helper()
	out, code := p.run("build")
	if code != 0 {
		p.t.Fatalf("bin/build = %d, want 0:\n%s", code, out)
	}
	return out
}

// layer is what a layer's toml says.
type layer struct {
	Types    struct{ Launch, Build, Cache bool }
	Metadata map[string]any
}

func (p *platform) layer(name string) layer {
	p.t.Helper()
	var l layer
	if _, err := toml.DecodeFile(filepath.Join(p.layers, name+".toml"), &l); err != nil {
		p.t.Fatal(err)
	}
	return l
}

// nextBuild leaves in the layers directory what the lifecycle restores: the
// metadata, without types, and the content of cached layers only.
func (p *platform) nextBuild() {
	p.t.Helper()
	for _, name := range []string{"python", "dependencies"} {
		l := p.layer(name)
		if !l.Types.Cache {
			if err := os.RemoveAll(filepath.Join(p.layers, name)); err != nil {
				p.t.Fatal(err)
			}
		}
		var b bytes.Buffer
		if err := toml.NewEncoder(&b).Encode(map[string]any{"metadata": l.Metadata}); err != nil {
			p.t.Fatal(err)
		}
		p.write(map[string]string{name + ".toml": b.String()}, p.layers)
	}
	if err := os.Remove(filepath.Join(p.layers, "launch.toml")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.t.Fatal(err)
	}
}

// launch runs a command as the launcher would in the image, where the
// builder's CPythons are not.
func (p *platform) launch(root, command string, extra ...string) (string, error) {
	p.t.Helper()
	hidden := root + ".hidden"
	if err := os.Rename(root, hidden); err != nil {
		p.t.Fatal(err)
	}
	defer func() {
		if err := os.Rename(hidden, root); err != nil {
			p.t.Error(err)
		}
	}()
	cmd := exec.CommandContext(p.t.Context(), "bash", "-c", command)
	cmd.Dir = p.app
	cmd.Env = append(p.launchEnv(), extra...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (p *platform) launchEnv() []string {
	p.t.Helper()
	env := map[string]string{"PATH": "/usr/bin:/bin"}
	for _, name := range []string{"dependencies", "python"} {
		env["PATH"] = filepath.Join(p.layers, name, "bin") + ":" + env["PATH"]
	}
	files, err := filepath.Glob(filepath.Join(p.layers, "*", "env.launch", "*"))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, file := range files {
		value, err := os.ReadFile(file)
		if err != nil {
			p.t.Fatal(err)
		}
		name, action, _ := strings.Cut(filepath.Base(file), ".")
		switch action {
		case "prepend":
			env[name] = string(value) + ":" + env[name]
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

// index unpacks the wheels beside the repository and returns their address.
func index(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == "/" {
			t.Fatal("no go.mod above the package")
		}
	}
	f, err := os.Open(filepath.Join(dir, "..", "shared", "pypi", "index-min.tar"))
	if err != nil {
		t.Fatalf("the index is missing: %v", err)
	}
	defer f.Close()
	to := t.TempDir()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return "file://" + to + "/simple"
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		name := filepath.Join(to, filepath.FromSlash(h.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
