package nodejs_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"slipway/buildpacks/bundled/cnbtest"
	"slipway/buildpacks/bundled/nodejs"
	"slipway/internal/testkit"
)

// A platform runs the buildpack over one app.
type platform struct{ *cnbtest.Platform }

// newPlatform is one over the files, whose builds fetch from registry.
func newPlatform(t *testing.T, registry string, files map[string]string) *platform {
	t.Helper()
	p := &platform{cnbtest.New(t, nodejs.Descriptor, files)}
	p.Env["NPM_CONFIG_REGISTRY"], p.Env["NODEJS_ORG_MIRROR"] = registry, strings.TrimSuffix(registry, "/")+"/dist"
	p.Environ = []string{"PATH=" + p.tools(), "HOME=" + filepath.Join(p.Dir, "home")}
	return p
}

// sample adds an app of testdata/apps.
func (p *platform) sample(name string) {
	p.T.Helper()
	if err := os.CopyFS(p.App, os.DirFS(filepath.Join(testkit.Root(p.T), "testdata/apps", name))); err != nil {
		p.T.Fatal(err)
	}
}

// tools is a directory of what scripts need of the machine: it has no Node.js.
func (p *platform) tools() string {
	p.T.Helper()
	dir := filepath.Join(p.Dir, "tools")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		p.T.Fatal(err)
	}
	for _, name := range []string{"sh", "bash", "env", "ls", "cat", "uname", "sed", "dirname", "basename", "mkdir", "grep"} {
		file, err := exec.LookPath(name)
		if err != nil {
			p.T.Fatal(err)
		}
		if err := os.Symlink(file, filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrExist) {
			p.T.Fatal(err)
		}
	}
	return dir
}

// fail runs bin/build, which must not succeed.
func (p *platform) fail() string {
	p.T.Helper()
	out, code := p.Run("build")
	if code != 1 {
		p.T.Fatalf("bin/build = %d, want 1:\n%s", code, out)
	}
	return out
}

// NextBuild also takes from the app what the build made there.
func (p *platform) NextBuild() {
	p.T.Helper()
	p.Platform.NextBuild()
	p.Remove(filepath.Join(p.App, "node_modules"))
	p.Remove(filepath.Join(p.App, "dist"))
}

// launch runs a command as the launcher would in the image.
func (p *platform) launch(command string, extra ...string) string {
	p.T.Helper()
	cmd := exec.CommandContext(p.T.Context(), "bash", "-c", "for f in "+p.Layers+"/*/profile.d/*; do [[ -f $f ]] && . \"$f\"; done\n"+command)
	cmd.Dir = p.App
	cmd.Env = append(p.LaunchEnv(map[string]string{"PATH": p.tools(), "HOME": filepath.Join(p.Dir, "home")}), extra...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.T.Errorf("launch %s = %v:\n%s", command, err, out)
	}
	return string(out)
}

// sums digests the files of the app.
func (p *platform) sums() map[string]string {
	p.T.Helper()
	out := make(map[string]string)
	err := filepath.WalkDir(p.App, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(p.App, path)
		if err != nil {
			return err
		}
		if d.Type()&fs.ModeSymlink != 0 {
			out[name], err = os.Readlink(path)
			return err
		}
		data, err := os.ReadFile(path)
		out[name] = fmt.Sprintf("%x", sha256.Sum256(data))
		return err
	})
	if err != nil {
		p.T.Fatal(err)
	}
	return out
}
