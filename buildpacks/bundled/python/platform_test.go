package python_test

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"slipway/buildpacks/bundled/cnbtest"
	"slipway/buildpacks/bundled/python"
)

// A platform runs the buildpack over one app.
type platform struct{ *cnbtest.Platform }

// newPlatform is one over the files, whose builder has its CPythons in root.
func newPlatform(t *testing.T, root string, files map[string]string) *platform {
	t.Helper()
	p := &platform{cnbtest.New(t, strings.Replace(python.Descriptor, `root = "/opt/slipway/python"`, `root = "`+root+`"`, 1), files)}
	p.Environ = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.Dir, "PYTHONPATH=/nowhere", "PYTHONHOME=/nowhere"}
	return p
}

// launch runs a command as the launcher would in the image, where the
// builder's CPythons are not.
func (p *platform) launch(root, command string, extra ...string) (string, error) {
	p.T.Helper()
	hidden := root + ".hidden"
	if err := os.Rename(root, hidden); err != nil {
		p.T.Fatal(err)
	}
	defer func() {
		if err := os.Rename(hidden, root); err != nil {
			p.T.Error(err)
		}
	}()
	cmd := exec.CommandContext(p.T.Context(), "bash", "-c", command)
	cmd.Dir = p.App
	cmd.Env = append(p.LaunchEnv(map[string]string{"PATH": "/usr/bin:/bin"}), extra...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// index unpacks the wheels beside the repository and returns their address.
func index(t *testing.T) string {
	t.Helper()
	f, err := os.Open(filepath.Join(beside(t), "pypi", "index-min.tar"))
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

// beside is the folder of what lies beside the repository.
func beside(t *testing.T) string {
	t.Helper()
	return filepath.Join(repository(t), "..", "shared")
}

// repository is the root of this repository.
func repository(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	t.Fatal("no go.mod above the package")
	return ""
}

func isThere(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
