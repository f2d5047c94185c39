package bundled

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

const pythonLayerFile = "python.tar.gz"

// series is "3.13" for "3.13.1".
func (p cpython) series() string {
	i := strings.LastIndexByte(p.Version, '.')
	return p.Version[:i]
}

// notInPython are parts of a CPython that a server has no use for: tests and
// teaching tools, Tk, and what is only for embedding an interpreter.
func notInPython(name, series string) bool {
	lib := "lib/python" + series + "/"
	for _, p := range []string{
		"lib/itcl", "lib/tcl", "lib/tk", "lib/thread", "lib/Tix", "lib/libtcl", "lib/libtk", "share/man",
		lib + "test/", lib + "idlelib/", lib + "tkinter/", lib + "turtledemo/", lib + "turtle.py",
		lib + "ensurepip/", lib + "lib2to3/", lib + "lib-dynload/_tkinter", lib + "site-packages/",
	} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	dir, base := path.Split(name)
	return dir == "bin/" && base != "" && !strings.HasPrefix(base, "python") || strings.HasSuffix(base, "-config")
}

// python makes the layer of one CPython in dir.
func (b *build) python(ctx context.Context, p cpython, dir string) (_ layer, err error) {
	work, err := os.MkdirTemp(dir, "root-")
	if err != nil {
		return layer{}, fmt.Errorf("make work directory: %w", err)
	}
	defer removeAll(work, &err)
	home := filepath.Join(work, pythonRoot, p.Version)
	b.say("Adding CPython %s", p.Version)
	mod, err := b.module(ctx, p.Module, p.Sum)
	if err != nil {
		return layer{}, err
	}
	drop := func(name string) bool { return notInPython(name, p.series()) }
	if err := unpackEmbedded(filepath.Join(mod, "python/internal/data/linux-amd64"), home, drop); err != nil {
		return layer{}, fmt.Errorf("unpack CPython %s: %w", p.Version, err)
	}
	for _, step := range []func(context.Context, cpython, string) error{
		b.addPip, b.addHeaders, adaptPaths, stripPython, compilePython,
	} {
		if err := step(ctx, p, home); err != nil {
			return layer{}, fmt.Errorf("prepare CPython %s: %w", p.Version, err)
		}
	}
	pack := packer{root: work, owner: func(fs.FileInfo) (int, int) { return 0, 0 }}
	return pack.pack(ctx, filepath.Join(dir, pythonLayerFile))
}

// module gives the unpacked source of a version of pythonModule, whose content
// must have the given sum.
func (b *build) module(ctx context.Context, version, sum string) (string, error) {
	t := tool{dir: b.work, env: []string{"GOFLAGS=-mod=mod", "GOWORK=off"}}
	out, err := t.output(ctx, "go", "mod", "download", "-json", pythonModule+"@"+version)
	if err != nil {
		return "", fmt.Errorf("download %s@%s: %w: %s", pythonModule, version, err, out)
	}
	var m struct{ Dir, Sum string }
	if err := json.Unmarshal(out, &m); err != nil {
		return "", fmt.Errorf("read answer of go mod download: %w", err)
	}
	if m.Sum != sum {
		return "", fmt.Errorf("check %s@%s: it has sum %s, not %s", pythonModule, version, m.Sum, sum)
	}
	return m.Dir, nil
}

// addPip adds the newest pip that the recipe's modules have.
func (b *build) addPip(ctx context.Context, p cpython, home string) error {
	mod, err := b.module(ctx, pythons[0].Module, pythons[0].Sum)
	if err != nil {
		return err
	}
	drop := func(name string) bool { return !strings.HasPrefix(name, "pip") || strings.HasSuffix(name, ".exe") }
	site := filepath.Join(home, "lib/python"+p.series(), "site-packages")
	if err := unpackEmbedded(filepath.Join(mod, "pip/internal/data"), site, drop); err != nil {
		return fmt.Errorf("unpack pip: %w", err)
	}
	if _, err := os.Stat(filepath.Join(site, "pip-"+pipVersion+".dist-info")); err != nil {
		return fmt.Errorf("check pip: %w", err)
	}
	return nil
}

// An embeddedFile is an entry of the files.json of an embedded tree.
type embeddedFile struct {
	Name       string      `json:"name"`
	Mode       fs.FileMode `json:"perm"`
	Symlink    string      `json:"symlink"`
	Compressed bool        `json:"compressed"`
}

// unpackEmbedded copies an embedded tree of the module to dst, but for what
// drop says.
func unpackEmbedded(src, dst string, drop func(name string) bool) error {
	data, err := os.ReadFile(filepath.Join(src, "files.json"))
	if err != nil {
		return err
	}
	var list struct {
		Files []embeddedFile `json:"files"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return fmt.Errorf("read files.json: %w", err)
	}
	if err := os.MkdirAll(dst, 0o755); err != nil {
		return err
	}
	for _, f := range list.Files {
		if !filepath.IsLocal(f.Name) {
			return fmt.Errorf("unpack %q: it lies outside", f.Name)
		}
		if drop(f.Name) || f.Mode.IsDir() && drop(f.Name+"/") {
			continue
		}
		if err := f.unpack(src, dst); err != nil {
			return err
		}
	}
	return nil
}

func (f embeddedFile) unpack(src, dst string) error {
	to := filepath.Join(dst, f.Name)
	switch {
	case f.Mode.IsDir():
		return os.MkdirAll(to, 0o755)
	case f.Symlink != "":
		return os.Symlink(f.Symlink, to)
	}
	mode := fs.FileMode(0o644)
	if f.Mode&0o111 != 0 {
		mode = 0o755
	}
	from := filepath.Join(src, f.Name)
	if !f.Compressed {
		data, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, mode)
	}
	in, err := os.Open(from + ".gz")
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // only read
	zr, err := gzip.NewReader(in)
	if err != nil {
		return fmt.Errorf("unpack %q: %w", f.Name, err)
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, zr)
	return errors.Join(err, out.Close())
}
