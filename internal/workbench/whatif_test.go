package workbench_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"slipway/buildpacks/detector"
	"slipway/internal/workbench"
)

func TestParseWhatIfRefuses(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"file": ""})
	for _, c := range []struct {
		name          string
		with, without []string
		want          string
	}{
		{"no content", []string{"Procfile"}, nil, "write FILE=CONTENT"},
		{"no name", []string{"=x"}, nil, "it names no file below the app"},
		{"a way out", []string{"../x=y"}, nil, "leads out of the app"},
		{"an absolute name", []string{"/etc/passwd=y"}, nil, "leads out of the app"},
		{"a way out by a detour", []string{"a/../../x=y"}, nil, "leads out of the app"},
		{"the app itself", nil, []string{"a/.."}, "it names no file below the app"},
		{"a file that is not there", []string{"a=@" + dir + "/gone"}, nil, "is written @@"},
		{"a directory as a content", []string{"a=@" + dir}, nil, "is not a file"},
		{"a directory with a content", []string{"a/=x"}, nil, "has no content"},
		{"a file below a file", []string{"a=x", "a/b=y"}, nil, "is added too, as a file"},
		{"a file above a file", []string{"a/b=y", "a=x"}, nil, "as a directory"},
	} {
		if _, err := workbench.ParseWhatIf(c.with, c.without); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("ParseWhatIf(%s) = %v, want %q in it", c.name, err, c.want)
		}
	}
}

func whatIf(t *testing.T, with, without []string) *workbench.WhatIf {
	t.Helper()
	w, err := workbench.ParseWhatIf(with, without)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// listing is a tree in words, directories with a slash, programs with a star.
func listing(t *testing.T, fsys fs.FS) []string {
	t.Helper()
	var all []string
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir():
			name += "/"
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := fs.ReadLink(fsys, name)
			if err != nil {
				return err
			}
			name += " -> " + target
		default:
			data, err := fs.ReadFile(fsys, name)
			if err != nil {
				return err
			}
			if info.Mode()&0o100 != 0 {
				name += "*"
			}
			name += " " + string(data)
		}
		all = append(all, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWhatIfIsTheSameOnEveryWay(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"bin/start": "#!/bin/sh", "lib/a/one": "1", "lib/b/two": "2", "README": "old", "link": "-> README", "up": "-> ../up",
		"venv/": "", "loop": "-> loop",
	})
	from := filepath.Join(t.TempDir(), "from")
	write(t, from, "elsewhere", false)
	before := listing(t, os.DirFS(dir))
	w := whatIf(t,
		[]string{"README=new", "bin/detect=#!/bin/sh\n", "new/deep/file=x=y", "at=@@home", "copy=@" + from, "empty/="},
		[]string{"lib/a", "venv/", "not/there"})
	want := []string{
		"README new", "at @home", "bin/", "bin/detect* #!/bin/sh\n", "bin/start #!/bin/sh", "copy elsewhere", "empty/", "lib/", "lib/b/",
		"lib/b/two 2", "link -> README", "loop -> loop", "new/", "new/deep/", "new/deep/file x=y", "up -> ../up",
	}
	for _, inProcess := range []bool{true, false} {
		var got []string
		var through string
		d := fake{inProcess: inProcess, after: func(_ *detector.Report, fsys fs.FS, _ detector.Options) {
			got = listing(t, fsys)
			data, _ := fs.ReadFile(fsys, "link") // compared below
			through = string(data)
		}}
		cfg := workbench.Config{Detector: d, WhatIf: w}
		err := workbench.Run(t.Context(), cfg, []string{dir}, func(r workbench.Result) error {
			if r.Err == nil && r.Report.Dir != dir {
				t.Errorf("the report is about %s, want %s", r.Report.Dir, dir)
			}
			return r.Err
		})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("in process %v: a buildpack sees %q, %v, want %q", inProcess, got, err, want)
		}
		if through != "new" {
			t.Errorf("in process %v: a link leads to %q, want what is there instead", inProcess, through)
		}
	}
	if after := listing(t, os.DirFS(dir)); !slices.Equal(after, before) {
		t.Errorf("the app is %q, want it as it was", after)
	}
	if got := w.Missing(dir); !slices.Equal(got, []string{"not/there"}) {
		t.Errorf("Missing = %q, want not/there", got)
	}
}

func TestAViewIsAFileSystem(t *testing.T) {
	t.Parallel()
	base := fstest.MapFS{"a/one": {Data: []byte("1")}, "a/two": {Data: []byte("2")}, "b/three": {Data: []byte("3")}, "c": {Data: []byte("4")}}
	fsys, err := whatIf(t, []string{"a/new=n", "d/e/f=g"}, []string{"b", "a/one"}).FS(base)
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(fsys, "a/new", "a/two", "c", "d/e/f"); err != nil {
		t.Error(err)
	}
	for _, gone := range []string{"b", "b/three", "a/one"} {
		if _, err := fs.Stat(fsys, gone); err == nil {
			t.Errorf("Stat(%s): it is there, want it left out", gone)
		}
	}
}

func TestWhatIfDoesNotReplaceDirectories(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"lib/a": "", "file": "", "link": "-> lib"})
	for _, arg := range []string{"lib=x", "file/below=x", "file/=", "link/a=x"} {
		_, err := whatIf(t, []string{arg}, nil).FS(os.DirFS(dir))
		if err == nil || !strings.Contains(err.Error(), "--without") {
			t.Errorf("FS(%s) = %v, want what to leave out first", arg, err)
		}
	}
	fsys, err := whatIf(t, []string{"lib=x", "file/below=y", "link/a=z"}, []string{"lib", "file", "link"}).FS(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := listing(t, fsys), []string{"file/", "file/below y", "lib x", "link/", "link/a z"}; !slices.Equal(got, want) {
		t.Errorf("what is left and added = %q, want %q", got, want)
	}
}
