package bundled

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// addHeaders adds the C headers of a CPython, as Debian or Ubuntu packages
// them for its series. Within a series they are the same but for the patch
// level, which is set right.
func (b *build) addHeaders(ctx context.Context, p cpython, home string) (err error) {
	work, err := os.MkdirTemp(b.work, "headers-")
	if err != nil {
		return err
	}
	defer removeAll(work, &err)
	deb, tree := filepath.Join(work, "headers.deb"), filepath.Join(work, "tree")
	if p.Headers.Suite != "" {
		err = b.mirrors.download(ctx, p.Headers.Suite, "libpython"+p.series()+"-dev", deb)
	} else {
		err = b.mirrors.fetch(ctx, p.Headers.Pool, p.Headers.SHA256, deb)
	}
	if err != nil {
		return fmt.Errorf("get C headers: %w", err)
	}
	if err := (tool{}).run(ctx, "dpkg-deb", "--extract", deb, tree); err != nil {
		return fmt.Errorf("unpack C headers: %w", err)
	}
	name := "python" + p.series()
	dst := filepath.Join(home, "include", name)
	if err := os.MkdirAll(filepath.Dir(dst), 0o755); err != nil {
		return err
	}
	if err := os.CopyFS(dst, os.DirFS(filepath.Join(tree, "usr/include", name))); err != nil {
		return fmt.Errorf("copy C headers: %w", err)
	}
	config, err := os.ReadFile(filepath.Join(tree, "usr/include/x86_64-linux-gnu", name, "pyconfig.h"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dst, "pyconfig.h"), config, 0o644); err != nil {
		return err
	}
	return setPatchLevel(filepath.Join(dst, "patchlevel.h"), p)
}

// setPatchLevel makes a patchlevel.h name the version that p is.
func setPatchLevel(file string, p cpython) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for name, value := range map[string]string{
		"PY_MICRO_VERSION":  strings.TrimPrefix(p.Version, p.series()+"."),
		"PY_RELEASE_LEVEL":  "PY_RELEASE_LEVEL_FINAL",
		"PY_RELEASE_SERIAL": "0",
		"PY_VERSION":        `"` + p.Version + `"`,
	} {
		re := regexp.MustCompile(`(?m)^(#define[ \t]+` + name + `[ \t]+).*$`)
		if !re.Match(data) {
			return fmt.Errorf("set patch level: no %s in patchlevel.h", name)
		}
		data = re.ReplaceAll(data, []byte("${1}"+value))
	}
	return os.WriteFile(file, data, 0o644)
}

// rewrites turn what a CPython remembers of the machine that compiled it into
// what the build image has: gcc for clang, its own place for /install. Debug
// information is off: it would put pip's random build directory into every
// extension, and no two builds of a commit would be the same.
var rewrites = []struct {
	old *regexp.Regexp
	new string
}{
	{regexp.MustCompile(`/tools/llvm/bin/llvm-ar\b`), "ar"},
	{regexp.MustCompile(`\bclang\+\+`), "g++"},
	{regexp.MustCompile(`\bclang\b`), "gcc"},
	{regexp.MustCompile(` -LModules/_hacl\b`), ""},
	{regexp.MustCompile(` -g( |")`), "$1"},
}

// adaptPaths rewrites the build settings that sysconfig gives to those who
// compile extensions.
func adaptPaths(_ context.Context, p cpython, home string) error {
	lib := filepath.Join(home, "lib/python"+p.series())
	var files []string
	for _, pattern := range []string{"_sysconfigdata_*.py", "_sysconfig_vars_*.json", "build-details.json"} {
		found, err := filepath.Glob(filepath.Join(lib, pattern))
		if err != nil {
			return err
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		return errors.New("adapt build settings: there are none")
	}
	prefix := regexp.MustCompile(`/install\b`)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, r := range rewrites {
			data = r.old.ReplaceAll(data, []byte(r.new))
		}
		data = prefix.ReplaceAll(data, []byte(pythonRoot+"/"+p.Version))
		if err := os.WriteFile(file, data, 0o644); err != nil {
			return err
		}
	}
	// The makefile and the objects for embedding are of no use without a static library.
	configs, err := filepath.Glob(filepath.Join(lib, "config-*"))
	if err != nil {
		return err
	}
	for _, dir := range configs {
		if err := keepMakefile(dir, prefix, p); err != nil {
			return err
		}
	}
	return nil
}

// keepMakefile leaves of a config directory what sysconfig reads.
func keepMakefile(dir string, prefix *regexp.Regexp, p cpython) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		file := filepath.Join(dir, e.Name())
		if e.Name() != "Makefile" {
			if err := os.RemoveAll(file); err != nil {
				return err
			}
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		data = prefix.ReplaceAll(data, []byte(pythonRoot+"/"+p.Version))
		if err := os.WriteFile(file, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// stripPython takes debug information out of the binaries of a CPython, or,
// where that breaks them, drops the shared library that only embedders need.
func stripPython(ctx context.Context, p cpython, home string) error {
	if p.NoStrip {
		libs, err := filepath.Glob(filepath.Join(home, "lib", "libpython*.so*"))
		if err != nil {
			return err
		}
		for _, lib := range libs {
			if err := os.Remove(lib); err != nil {
				return err
			}
		}
		return nil
	}
	var binaries []string
	err := filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !isELF(path) {
			return err
		}
		binaries = append(binaries, path)
		return nil
	})
	if err != nil {
		return err
	}
	return tool{}.run(ctx, "strip", append([]string{"--strip-unneeded", "--enable-deterministic-archives"}, binaries...)...)
}

func isELF(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close() //nolint:errcheck // only read
	magic := make([]byte, len(elf.ELFMAG))
	_, err = f.Read(magic)
	return err == nil && bytes.Equal(magic, []byte(elf.ELFMAG))
}

// compilePython compiles the standard library and pip once and for all, with
// nothing in the result that differs from run to run: sources are not looked
// at again, and addresses are not random, since CPython 3.10's caches go by
// them, and show in which objects it marks as shared.
func compilePython(ctx context.Context, p cpython, home string) error {
	t := tool{dir: home, env: []string{"PYTHONHASHSEED=0", "PYTHONHOME=", "PYTHONPATH=", "PYTHONDONTWRITEBYTECODE=1", "LC_ALL=C.UTF-8", sourceDateEpoch()}}
	return t.run(ctx, "setarch", "--addr-no-randomize", filepath.Join(home, "bin/python3"), "-m", "compileall", "-q", "-j1",
		"--invalidation-mode", "unchecked-hash", "-s", home, "-p", pythonRoot+"/"+p.Version,
		filepath.Join(home, "lib/python"+p.series()))
}
