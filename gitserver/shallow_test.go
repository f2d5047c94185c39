package gitserver_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestShallowClones drives git through what it can do with a shallow clone.
func TestShallowClones(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		for _, version := range []string{"0", "1", "2"} {
			t.Run(transport+" v"+version, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, nil)
				newPast(t, w, "shop", 3, 40)
				shallowClone(t, w, w.url(transport, "shop"), version)
				w.check("shop")
			})
		}
	}
}

func shallowClone(t *testing.T, w *world, url, version string) {
	t.Helper()
	v, home, server := "protocol.version="+version, t.TempDir(), filepath.Join(w.dir, "shop.git")
	copied := filepath.Join(home, "copy")
	count := func(dir, rev string) string {
		t.Helper()
		w.git(dir, "fsck", "--strict", "--connectivity-only")
		return strings.TrimSpace(w.git(dir, "rev-list", "--count", "--first-parent", rev))
	}
	w.git(home, "-c", v, "clone", "-q", "--depth", "1", url, "copy")
	if got := count(copied, "HEAD"); got != "1" {
		t.Errorf("clone --depth 1: %s commits", got)
	}
	w.git(copied, "-c", v, "fetch", "-q", "--deepen", "2")
	if got := count(copied, "HEAD"); got != "3" {
		t.Errorf("fetch --deepen 2: %s commits, want 3", got)
	}
	// A push from it, and a fetch into it of what another one pushed.
	mine := w.commit(copied, "mine", "mine")
	w.git(copied, "-c", v, "push", "-q", url, "HEAD:main")
	if got := w.ref("shop", "refs/heads/main"); got != mine {
		t.Errorf("push: main = %s, want %s", got, mine)
	}
	w.git(home, "-c", v, "clone", "-q", "--depth", "4", "--no-single-branch", url, "other")
	other := filepath.Join(home, "other")
	w.git(other, "-c", v, "pull", "-q", "--no-rebase", "--no-edit", "origin", "main", "side")
	theirs := w.commit(other, "theirs", "theirs")
	w.git(other, "-c", v, "push", "-q", url, "HEAD:main")
	w.git(copied, "-c", v, "fetch", "-q", "origin", "main")
	if got := w.rev(copied, "FETCH_HEAD"); got != theirs {
		t.Errorf("fetch: %s, want %s", got, theirs)
	}
	count(copied, "FETCH_HEAD")
	w.git(copied, "-c", v, "fetch", "-q", "--depth", "2", "origin", "main", "side")
	count(copied, "FETCH_HEAD")
	w.git(copied, "-c", v, "fetch", "-q", "--unshallow")
	if _, err := os.Stat(filepath.Join(copied, ".git/shallow")); err == nil {
		t.Error("fetch --unshallow: the clone is still shallow")
	}
	if got, want := count(copied, "origin/main"), count(server, "main"); got != want {
		t.Errorf("fetch --unshallow: %s commits, want %s", got, want)
	}

	w.git(home, "-c", v, "clone", "-q", "--shallow-since", "1700030000", url, "since")
	if got := w.git(filepath.Join(home, "since"), "log", "--format=%ct"); strings.Contains(got, "170002") {
		t.Errorf("clone --shallow-since: commits of %s", got)
	}
	count(filepath.Join(home, "since"), "HEAD")
	w.git(home, "-c", v, "clone", "-q", "--shallow-exclude", "v1", url, "without")
	if got, want := w.git(filepath.Join(home, "without"), "rev-list", "HEAD"), w.git(server, "rev-list", "main", "^v1"); got != want {
		t.Errorf("clone --shallow-exclude v1: %s, want %s", got, want)
	}
	count(filepath.Join(home, "without"), "HEAD")
	wantText(t, w.gitFails(home, "-c", v, "clone", "-q", "--shallow-exclude", "nothing", url, "x"), "deepen-not is not a ref")
}

// TestPartialClones drives git through clones that fetch objects when they are
// looked at.
func TestPartialClones(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		for _, version := range []string{"0", "2"} {
			t.Run(transport+" v"+version, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, nil)
				past := newPast(t, w, "shop", 4, 40)
				url := w.url(transport, "shop")
				for i, filter := range []string{"blob:none", "blob:limit=200", "tree:0", "combine:blob:none+tree:2"} {
					home := t.TempDir()
					v := "protocol.version=" + version
					w.git(home, "-c", v, "clone", "-q", "--no-checkout", "--filter", filter, url, "copy")
					copied := filepath.Join(home, "copy")
					missing := strings.Count(w.git(copied, "rev-list", "--objects", "--all", "--missing=print"), "\n?")
					if missing == 0 {
						t.Errorf("%s: nothing is missing", filter)
					}
					w.git(copied, "-c", v, "checkout", "-q", "main")
					if got := w.git(copied, "status", "--porcelain"); got != "" {
						t.Errorf("%s: status after checkout: %s", filter, got)
					}
					w.git(copied, "-c", v, "log", "-p", "-5")
					if got, want := w.git(copied, "-c", v, "show", "main~3:README"), w.git(past.dir, "show", "main~3:README"); got != want {
						t.Errorf("%s: README is %q, want %q", filter, got, want)
					}
					next := w.commit(copied, fmt.Sprint("mine", i), "mine")
					w.git(copied, "-c", v, "push", "-q", url, "HEAD:main")
					w.git(copied, "-c", v, "fetch", "-q")
					if got := w.rev(copied, "origin/main"); got != next {
						t.Errorf("%s: origin/main = %s, want %s", filter, got, next)
					}
					w.git(copied, "fsck", "--connectivity-only")
				}
				wantText(t, w.gitFails(t.TempDir(), "clone", "--filter", "sparse:oid=main:README", url, "x"), "sparse filters are not served here")
				w.check("shop")
			})
		}
	}
}

// TestHiddenRefs looks for hidden refs wherever a ref can show.
func TestHiddenRefs(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil, hide("refs/internal", "refs/heads/secret", "refs/tags/secret", "!refs/internal/shown"))
			url, dir := w.url(transport, "shop"), w.work()
			w.git(dir, "push", "-q", url, "main")
			server := filepath.Join(w.dir, "shop.git")
			secret := strings.TrimSpace(w.git(server, "commit-tree", "-m", "secret", "main^{tree}"))
			behind := strings.TrimSpace(w.git(server, "commit-tree", "-m", "behind", "-p", secret, "main^{tree}"))
			for _, ref := range []string{"refs/internal/x", "refs/heads/secret", "refs/heads/secret-not", "refs/internal/shown/x"} {
				w.git(server, "update-ref", ref, "main")
			}
			w.git(server, "update-ref", "refs/internal/y", behind)
			w.git(server, "tag", "-a", "-m", "secret", "secret/tag", "main")
			tag := w.rev(server, "secret/tag")
			for _, version := range []string{"0", "2"} {
				v := "protocol.version=" + version
				home := t.TempDir()
				w.git(home, "-c", v, "clone", "-q", "--single-branch", url, "copy") // with the tags of what is sent
				w.gitFails(filepath.Join(home, "copy"), "cat-file", "-e", tag)
				out := w.git(dir, "-c", v, "ls-remote", url)
				wantText(t, out, "refs/heads/secret-not", "refs/internal/shown/x")
				if strings.Contains(out, "refs/internal/x") || strings.Contains(out, "refs/heads/secret\n") {
					t.Errorf("v%s: ls-remote shows hidden refs:\n%s", version, out)
				}
				w.gitFails(dir, "-c", v, "fetch", "-q", url, "refs/internal/x")
				wantText(t, w.gitFails(dir, "-c", v, "fetch", "-q", url, behind), "not our ref")
				wantText(t, w.gitFails(dir, "-c", v, "fetch", "-q", url, secret), "not our ref")
				wantText(t, w.gitFails(dir, "-c", v, "fetch", "-q", "--shallow-exclude", "secret", url, "main"), "deepen-not is not a ref")
			}
			before := w.ref("shop", "refs/internal/x")
			w.commit(dir, "next", "next")
			out := w.gitFails(dir, "push", url, "main:refs/internal/x", "main:refs/internal/new")
			wantText(t, out, "deny updating a hidden ref")
			if got := w.ref("shop", "refs/internal/x"); got != before {
				t.Errorf("hidden ref = %s, want %s", got, before)
			}
			w.gitFails(dir, "push", url, ":refs/internal/x")
			w.git(dir, "push", "-q", url, "main:refs/internal/shown/y")
		})
	}
}

// TestUnreachable asks for what a deleted branch has left behind.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			url, dir := w.url(transport, "shop"), w.work()
			first := w.rev(dir, "HEAD")
			w.commit(dir, "a", "a")
			w.git(dir, "push", "-q", url, "main")
			gone := w.commit(dir, "b", "b")
			w.git(dir, "tag", "-a", "-m", "gone", "gone")
			tag := w.rev(dir, "gone")
			w.git(dir, "push", "-q", url, "main:refs/heads/other", "gone")
			w.git(dir, "push", "-q", url, ":refs/heads/other", ":refs/tags/gone")
			for _, version := range []string{"0", "2"} {
				home, v := t.TempDir(), "protocol.version="+version
				w.git(home, "init", "-q")
				w.git(home, "-c", v, "fetch", "-q", url, first)
				for _, h := range []string{gone, tag} {
					wantText(t, w.gitFails(home, "-c", v, "fetch", "-q", url, h), "not our ref "+h)
				}
			}
		})
	}
}

// TestFetchProgress looks at what a person sees while the server works.
func TestFetchProgress(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			newPast(t, w, "shop", 5, 20)
			for _, version := range []string{"0", "2"} {
				home, v := t.TempDir(), "protocol.version="+version
				wantText(t, w.git(home, "-c", v, "clone", "--progress", w.url(transport, "shop"), "copy"), "remote: Counting objects: ", ", done.")
				if out := w.git(home, "-c", v, "clone", w.url(transport, "shop"), "quiet"); strings.Contains(out, "Counting") {
					t.Errorf("v%s: progress for a client that wants none: %s", version, out)
				}
			}
		})
	}
}

// TestServerOptions sends options, which nobody reads.
func TestServerOptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	dir := w.work()
	w.git(dir, "push", "-q", w.url("http", "shop"), "main")
	w.git(dir, "ls-remote", "-o", "hello", w.url("http", "shop"))
	w.git(dir, "fetch", "-o", "hello", "-o", "again", w.url("ssh", "shop"), "main")
}

// TestNegotiateOnly asks for nothing but what both have.
func TestNegotiateOnly(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			url, dir := w.url(transport, "shop"), w.work()
			w.git(dir, "push", "-q", url, "main")
			both := w.rev(dir, "HEAD")
			w.commit(dir, "a", "a")
			out := w.git(dir, "fetch", "--negotiate-only", "--negotiation-tip=HEAD", url)
			if got := strings.TrimSpace(out); got != both {
				t.Errorf("fetch --negotiate-only: %q, want %s", got, both)
			}
		})
	}
}

// TestRefusedFetches sends requests that no git sends.
func TestRefusedFetches(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p := newPast(t, w, "shop", 6, 12)
	main, blob := w.rev(p.dir, "main"), w.rev(p.dir, "main:README")
	fetch := func(args ...string) []string {
		return append([]string{"command=fetch", "0001", "want " + main}, args...)
	}
	for name, c := range map[string]struct {
		lines []string
		want  string
	}{
		"since the future":       {fetch("deepen-since 4000000000", "done"), "no commits selected for shallow requests"},
		"a negative depth":       {fetch("deepen -1", "done"), "malformed line"},
		"a depth too large":      {fetch("deepen 99999999999", "done"), "malformed line"},
		"depth and since":        {fetch("deepen 1", "deepen-since 1", "done"), "cannot be used together"},
		"not and depth":          {fetch("deepen-not v1", "deepen 1", "done"), "cannot be used together"},
		"since no number":        {fetch("deepen-since yesterday", "done"), "malformed line"},
		"not no ref":             {fetch("deepen-not "+main, "done"), "deepen-not is not a ref"},
		"a shallow blob":         {fetch("shallow "+blob, "done"), "invalid shallow object"},
		"a shallow nothing":      {fetch("shallow x", "done"), "malformed line"},
		"two filters":            {fetch("filter blob:none", "filter tree:0", "done"), "more than one filter"},
		"no filter":              {fetch("filter ", "done"), "invalid filter"},
		"an unknown filter":      {fetch("filter blob:some", "done"), "use blob:none"},
		"a filter too nested":    {fetch("filter "+strings.Repeat("combine:", 200)+"blob:none", "done"), "more than 100 filters"},
		"a filter by paths":      {fetch("filter sparse:path=x", "done"), "sparse filters are not served here"},
		"a size too large":       {fetch("filter blob:limit=99999999999g", "done"), "invalid filter"},
		"an unknown ref":         {fetch("want-ref refs/heads/none", "done"), "unknown ref"},
		"a ref twice":            {fetch("want-ref HEAD", "want-ref HEAD", "done"), "duplicate want-ref"},
		"sideband-all":           {fetch("sideband-all", "done"), "unexpected line"},
		"packfile-uris":          {fetch("packfile-uris https", "done"), "unexpected line"},
		"an object that is gone": {fetch("want "+strings.Repeat("1", 40), "done"), "not our ref"},
		"info of nothing":        {[]string{"command=object-info", "0001", "size", "oid x"}, "malformed object name"},
		"unknown info":           {[]string{"command=object-info", "0001", "type"}, "unknown argument"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := string(p.ours(t, "2", wirePackets(append(c.lines, "0000")...)))
			if len(out) < 8 || out[4:8] != "ERR " || !strings.Contains(out, c.want) {
				t.Errorf("answer: %.300q, want ERR with %q", out, c.want)
			}
		})
	}
}

func TestObjectInfo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p := newPast(t, w, "shop", 7, 12)
	lines := []string{"command=object-info", "object-format=sha1", "0001", "size"}
	for _, name := range []string{"main", "main^{tree}", "main:README", "v1"} {
		lines = append(lines, "oid "+w.rev(p.dir, name))
	}
	request := wirePackets(append(lines, "oid "+strings.Repeat("1", 40), "0000")...)
	if ours, theirs := p.ours(t, "2", request), p.theirs(t, "2", request); !bytes.Equal(ours, theirs) {
		t.Errorf("object-info: %q, want, as git says: %q", ours, theirs)
	}
}
