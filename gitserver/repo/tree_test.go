package repo_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"slipway/gitserver/repo"
)

func TestTree(t *testing.T) {
	notShort(t)
	t.Parallel()
	src := t.TempDir()
	git(t, src, "init", "-q", "-b", "main")
	big := bytes.Repeat([]byte("big and compressible\n"), 200_000)
	write(t, src, "Procfile", "web: x\n")
	write(t, src, "dir/sub/file", "deep\n")
	write(t, src, "dir.txt", "sorted between\n")
	write(t, src, "big", string(big))
	write(t, src, "empty", "")
	write(t, src, "run.sh", "#!/bin/sh\n")
	os.Chmod(filepath.Join(src, "run.sh"), 0o755)
	for link, target := range map[string]string{
		"link": "dir/sub/file", "dirlink": "dir", "up": "../../etc/passwd", "abs": "/etc/passwd",
		"loop": "loop", "dir/back": "../Procfile", "dangling": "nix",
	} {
		if err := os.Symlink(target, filepath.Join(src, link)); err != nil {
			t.Fatal(err)
		}
	}
	git(t, src, "add", "-A")
	git(t, src, "update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("1", 40)+",module")
	git(t, src, "commit", "-q", "-m", "Subject\nof two lines\n\nBody.")
	git(t, src, "tag", "-a", "v1", "-m", "v1")

	r := create(t, repo.Options{})
	q, err := r.Ingest(t.Context(), bytes.NewReader(pack(t, src, "main\nv1\n")), repo.IngestOptions{EOF: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, h := range map[string]string{"commit": "main", "tag": "v1", "tree": "main^{tree}"} {
		fsys, err := q.Tree(rev(t, src, h))
		if err != nil {
			t.Fatalf("Tree of a %s: %v", name, err)
		}
		checkTree(t, fsys, big)
	}
	if _, err := q.Tree(rev(t, src, "main:Procfile")); !errors.Is(err, repo.ErrType) {
		t.Errorf("Tree of a blob = %v, want %v", err, repo.ErrType)
	}
	if err := q.Migrate(); err != nil {
		t.Fatal(err)
	}
	git(t, r.Dir(), "update-ref", "refs/heads/main", head(t, src).String())
	git(t, r.Dir(), "update-ref", "refs/tags/v1", rev(t, src, "v1").String())
	c, err := r.Commit(head(t, src))
	if err != nil || c.Subject() != "Subject of two lines" || c.Author.Name != "A U Thor" || c.Author.When.Unix() != 1700000000 ||
		c.Author.When.Format("-0700") != "+0100" || c.Committer.Email != "committer@example.com" {
		t.Errorf("Commit = %+v, %v", c, err)
	}
	// As git stores it: loose, then repacked.
	loose := open(t, bare(t), repo.Options{})
	gitIn(t, loose.Dir(), pack(t, src, "main\nv1\n"), "unpack-objects", "-q")
	fsys, err := loose.Tree(head(t, src))
	if err != nil {
		t.Fatal(err)
	}
	checkTree(t, fsys, big)
	git(t, loose.Dir(), "update-ref", "refs/heads/main", head(t, src).String())
	git(t, loose.Dir(), "gc", "-q", "--prune=now")
	checkTree(t, fsys, big)
	fsck(t, r)
}

func checkTree(t *testing.T, fsys fs.FS, big []byte) {
	t.Helper()
	read := func(name string) string {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err.Error()
		}
		return string(b)
	}
	for name, want := range map[string]string{
		"Procfile": "web: x\n", "dir/sub/file": "deep\n", "link": "deep\n", "dirlink/sub/file": "deep\n",
		"dir/back": "web: x\n", "dirlink/back": "web: x\n", "empty": "", "big": string(big),
	} {
		if got := read(name); got != want {
			t.Errorf("ReadFile(%s) = %.40q, want %.40q", name, got, want)
		}
	}
	for _, name := range []string{"up", "abs", "dangling", "nix", "Procfile/x", "module/x"} {
		if _, err := fs.ReadFile(fsys, name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("ReadFile(%s) = %v, want %v", name, err, fs.ErrNotExist)
		}
	}
	for _, name := range []string{"loop", "../x", "/Procfile", "./Procfile"} {
		if _, err := fs.Stat(fsys, name); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Stat(%s) = %v, want %v", name, err, fs.ErrInvalid)
		}
	}
	for name, want := range map[string]fs.FileMode{
		"run.sh": 0o755, "Procfile": 0o644, "link": fs.ModeSymlink | 0o777, "dir": fs.ModeDir | 0o755, "module": fs.ModeDir | 0o755, ".": fs.ModeDir | 0o755,
	} {
		if st, err := fs.Lstat(fsys, name); err != nil || st.Mode() != want {
			t.Errorf("Lstat(%s) = %v, %v, want mode %v", name, st, err, want)
		}
	}
	if target, err := fs.ReadLink(fsys, "link"); target != "dir/sub/file" || err != nil {
		t.Errorf("ReadLink = %q, %v", target, err)
	}
	if list, err := fs.ReadDir(fsys, "module"); len(list) != 0 || err != nil {
		t.Errorf("ReadDir(module) = %v, %v", list, err)
	}
	f, err := fsys.Open("big")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, _ := f.Stat()
	if n, err := io.Copy(io.Discard, f); n != st.Size() || n != int64(len(big)) || err != nil {
		t.Errorf("read %d bytes, %v; Stat says %d", n, err, st.Size())
	}
	if err := fstest.TestFS(onlyFiles{fsys}, "Procfile", "dir/sub/file", "big"); err != nil {
		t.Error(err)
	}
}

// Git's names are bytes, which need not be UTF-8.
func TestTreeOfNamesThatAreNotUTF8(t *testing.T) {
	t.Parallel()
	src := t.TempDir()
	git(t, src, "init", "-q", "-b", "main")
	const dir, file, link = "caf\xe9", "caf\xe9/na\xefve\x80.txt", "\xfflink"
	write(t, src, file, "Latin-1\n")
	if err := os.Symlink(file, filepath.Join(src, link)); err != nil {
		t.Fatal(err)
	}
	git(t, src, "add", "-A")
	git(t, src, "commit", "-q", "-m", "Add")
	r := create(t, repo.Options{})
	q, err := r.Ingest(t.Context(), bytes.NewReader(pack(t, src, "main\n")), repo.IngestOptions{EOF: true})
	if err != nil {
		t.Fatal(err)
	}
	fsys, err := q.Tree(head(t, src))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		got = append(got, name)
		return err
	})
	if want := []string{".", dir, file, link}; err != nil || !slices.Equal(got, want) {
		t.Errorf("WalkDir = %q, %v, want %q", got, err, want)
	}
	for _, name := range []string{file, link} {
		if data, err := fs.ReadFile(fsys, name); string(data) != "Latin-1\n" || err != nil {
			t.Errorf("ReadFile(%q) = %q, %v", name, data, err)
		}
		f, err := fsys.Open(name)
		if err != nil {
			t.Errorf("Open(%q) = %v", name, err)
			continue
		}
		f.Close()
	}
	if target, err := fs.ReadLink(fsys, link); target != file || err != nil {
		t.Errorf("ReadLink(%q) = %q, %v, want %q", link, target, err, file)
	}
	for _, name := range []string{"", "/" + file, file + "/", dir + "//x", dir + "/../" + file, "./" + file} {
		if _, err := fs.Stat(fsys, name); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Stat(%q) = %v, want %v", name, err, fs.ErrInvalid)
		}
	}
}

// onlyFiles hides what TestFS cannot open: links that lead nowhere.
type onlyFiles struct{ fs.FS }

func (o onlyFiles) ReadDir(name string) ([]fs.DirEntry, error) {
	list, err := fs.ReadDir(o.FS, name)
	var keep []fs.DirEntry
	for _, e := range list {
		if e.Type() != fs.ModeSymlink {
			keep = append(keep, e)
		}
	}
	return keep, err
}

func (o onlyFiles) Open(name string) (fs.File, error) {
	f, err := o.FS.Open(name)
	if d, ok := f.(fs.ReadDirFile); ok && err == nil {
		list, err := o.ReadDir(name)
		return &keptDir{d, list}, err
	}
	return f, err
}

type keptDir struct {
	fs.ReadDirFile
	list []fs.DirEntry
}

func (d *keptDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(d.list)
	} else if len(d.list) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.list))
	out := d.list[:n]
	d.list = d.list[n:]
	return out, nil
}
