package gitserver_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFetches(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			url, dir := w.url(transport, "shop.git"), w.work()
			for i := range 20 {
				w.commit(dir, "app.py", fmt.Sprintf("print(%d)\n", i)+strings.Repeat("pass\n", 50))
			}
			w.git(dir, "tag", "-a", "-m", "one", "v1.0")
			w.git(dir, "push", url, "main", "v1.0", "main~3:refs/heads/older")
			for _, version := range []string{"0", "1", "2"} {
				fetchAs(t, w, transport, version, dir)
			}
			w.check("shop")
		})
	}
}

// fetchAs clones, fetches and lists with one version of the protocol.
func fetchAs(t *testing.T, w *world, transport, version, dir string) {
	t.Helper()
	url := w.url(transport, "shop.git")
	v := "protocol.version=" + version
	home := t.TempDir()
	w.git(home, "-c", v, "clone", "-q", url, "copy")
	copied := filepath.Join(home, "copy")
	want := w.rev(dir, "HEAD")
	if got := w.rev(copied, "HEAD"); got != want {
		t.Errorf("clone: HEAD = %s, want %s", got, want)
	}
	if got := strings.TrimSpace(w.git(copied, "symbolic-ref", "HEAD")); got != "refs/heads/main" {
		t.Errorf("clone: HEAD is %s", got)
	}
	w.git(copied, "fsck", "--strict")
	if got, want := w.rev(copied, "v1.0"), w.rev(dir, "v1.0"); got != want {
		t.Errorf("clone: v1.0 = %s, want %s", got, want)
	}

	// New commits on both sides, then a fetch and a pull.
	w.commit(copied, "mine-"+version, "mine")
	next := w.commit(dir, "theirs-"+version, "theirs")
	w.git(dir, "tag", "-a", "-m", "t", "t"+version)
	w.git(dir, "push", "-q", url, "main", "t"+version)
	w.git(copied, "-c", v, "fetch", "-q")
	if got := w.rev(copied, "origin/main"); got != next {
		t.Errorf("fetch: origin/main = %s, want %s", got, next)
	}
	if got, want := w.rev(copied, "t"+version), w.rev(dir, "t"+version); got != want {
		t.Errorf("fetch: tag = %s, want %s", got, want)
	}
	w.git(copied, "-c", v, "pull", "-q", "--no-rebase", "--no-edit")
	if _, err := os.Stat(filepath.Join(copied, "theirs-"+version)); err != nil {
		t.Error(err)
	}
	w.git(copied, "fsck", "--strict")

	out := w.git(home, "-c", v, "ls-remote", "--symref", url)
	wantText(t, out, "ref: refs/heads/main\tHEAD", next+"\trefs/heads/main", "refs/tags/v1.0^{}")
	if out := w.git(home, "-c", v, "ls-remote", "--heads", url, "older"); strings.Count(out, "\n") != 1 {
		t.Errorf("ls-remote --heads older: %s", out)
	}
	// Any stored commit can be asked for.
	w.git(home, "init", "-q", "one")
	w.git(filepath.Join(home, "one"), "-c", v, "fetch", "-q", url, w.rev(dir, "HEAD~5"))
	wantText(t, w.gitFails(filepath.Join(home, "one"), "-c", v, "fetch", "-q", url, strings.Repeat("1", 40)), "not our ref")
}

func TestEmptyRepository(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			for _, version := range []string{"0", "2"} {
				home := t.TempDir()
				out := w.git(home, "-c", "protocol.version="+version, "-c", "init.defaultBranch=trunk", "clone", w.url(transport, "shop"), "copy")
				wantText(t, out, "You appear to have cloned an empty repository")
				if version == "2" { // says where an unborn HEAD points to
					if got := strings.TrimSpace(w.git(filepath.Join(home, "copy"), "symbolic-ref", "HEAD")); got != "refs/heads/main" {
						t.Errorf("HEAD = %s, want refs/heads/main", got)
					}
				}
			}
		})
	}
}

// Unrelated and diverged histories make the client offer what we lack.
func TestFetchNegotiates(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			url, dir := w.url(transport, "shop.git"), w.work()
			w.git(dir, "push", "-q", url, "main")
			home := t.TempDir()
			w.git(home, "clone", "-q", url, "copy")
			copied := filepath.Join(home, "copy")
			for i := range 80 {
				w.git(copied, "commit", "-q", "--allow-empty", "-m", fmt.Sprint("mine ", i))
			}
			for i := range 5 {
				w.commit(dir, "a", fmt.Sprint(i))
			}
			w.git(dir, "push", "-q", url, "main")
			for _, version := range []string{"0", "2"} {
				clone := filepath.Join(home, "v"+version)
				w.git(home, "clone", "-q", copied, clone)
				w.git(clone, "-c", "protocol.version="+version, "fetch", "-q", url, "main")
				if got, want := w.rev(clone, "FETCH_HEAD"), w.rev(dir, "HEAD"); got != want {
					t.Errorf("v%s: FETCH_HEAD = %s, want %s", version, got, want)
				}
				w.git(clone, "fsck", "--strict")
			}
		})
	}
}
