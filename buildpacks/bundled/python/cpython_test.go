package python_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
)

// lifetime is that of the test binary where it stands in for the buildpack, and
// of what all tests share.
var lifetime = context.Background()

const (
	cpythonVersion = "3.13.1"
	cpythonModule  = "github.com/kluctl/go-embed-python@v0.0.0-3.13.1-20241219-1"
)

// cpython is a real CPython for all tests of this package, made once.
var cpython struct {
	once sync.Once
	work string
	err  error
}

// realRoot is a builder's directory of CPythons, with one in it.
func realRoot(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a real CPython, which -short leaves out")
	}
	cpython.once.Do(func() { cpython.work, cpython.err = unpackCPython() })
	if cpython.err != nil {
		t.Fatalf("get a CPython: %v", cpython.err)
	}
	return cpython.work
}

func unpackCPython() (string, error) {
	work, err := os.MkdirTemp("", "slipway-python-")
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(lifetime, "go", "mod", "download", "-json", cpythonModule)
	cmd.Dir, cmd.Stderr = work, os.Stderr
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	out, err := cmd.Output()
	if err != nil {
		return work, err
	}
	var mod struct{ Dir string }
	if err := json.Unmarshal(out, &mod); err != nil {
		return work, err
	}
	home := filepath.Join(work, cpythonVersion)
	for src, dst := range map[string]string{
		"python/internal/data/linux-amd64": home,
		"pip/internal/data":                filepath.Join(home, "lib/python3.13/site-packages"),
	} {
		if err := unpackEmbedded(filepath.Join(mod.Dir, src), dst); err != nil {
			return work, err
		}
	}
	// As in the builder, bytecode is there, or each start of pip would make it.
	compile := exec.CommandContext(lifetime, filepath.Join(home, "bin/python3"), "-m", "compileall", "-q", "-j", "0",
		"--invalidation-mode", "unchecked-hash", filepath.Join(home, "lib/python3.13"))
	if out, err := compile.CombinedOutput(); err != nil && len(out) > 0 {
		return work, fmt.Errorf("compile the standard library: %w: %s", err, out)
	}
	list := `{"versions":["` + cpythonVersion + `"],"pip":"24.3.1"}`
	return work, os.WriteFile(filepath.Join(work, "versions.json"), []byte(list), 0o644)
}

// unneeded is what the builder too leaves out.
var unneeded = regexp.MustCompile(`^(lib/(tcl|tk|itcl|thread)|lib/python3.13/(test|idlelib|tkinter|turtledemo|lib2to3|config-)|share/)`)

func unpackEmbedded(src, dst string) error {
	data, err := os.ReadFile(filepath.Join(src, "files.json"))
	if err != nil {
		return err
	}
	var list struct {
		Files []struct {
			Name       string      `json:"name"`
			Mode       fs.FileMode `json:"perm"`
			Symlink    string      `json:"symlink"`
			Compressed bool        `json:"compressed"`
		} `json:"files"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	for _, f := range list.Files {
		to := filepath.Join(dst, f.Name)
		if unneeded.MatchString(f.Name) {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		switch {
		case f.Mode.IsDir():
			err = os.MkdirAll(to, 0o755)
		case f.Symlink != "":
			err = os.Symlink(f.Symlink, to)
		default:
			err = unpackFile(filepath.Join(src, f.Name), to, f.Mode, f.Compressed)
		}
		if err != nil && !os.IsExist(err) {
			return err
		}
	}
	return nil
}

func unpackFile(src, dst string, mode fs.FileMode, compressed bool) error {
	if compressed {
		src += ".gz"
	}
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	var r io.Reader = in
	if compressed {
		if r, err = gzip.NewReader(in); err != nil {
			return err
		}
	}
	out, err := os.OpenFile(dst, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644|mode.Perm()&0o111)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, r); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}
