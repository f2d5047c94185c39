package repo_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/repo"
)

// age makes all packs and loose objects of a repository a month older.
func age(tb testing.TB, r *repo.Repo) {
	tb.Helper()
	then := time.Now().Add(-30 * 24 * time.Hour)
	for _, pattern := range []string{"pack/*.pack", "??/*"} {
		files, err := filepath.Glob(filepath.Join(r.Dir(), "objects", pattern))
		if err != nil {
			tb.Fatal(err)
		}
		for _, f := range files {
			if err := os.Chtimes(f, then, then); err != nil {
				tb.Fatal(err)
			}
		}
	}
}

func sweep(tb testing.TB, r *repo.Repo) repo.Swept {
	tb.Helper()
	done, err := r.Sweep(tb.Context(), repo.SweepOptions{})
	if err != nil {
		tb.Fatalf("Sweep: %v", err)
	}
	return done
}

// closed checks that no object lacks what it links to, whether a reference
// leads to it (which is all that `git fsck` looks at) or not.
func closed(tb testing.TB, r *repo.Repo) {
	tb.Helper()
	fsck(tb, r)
	all := git(tb, r.Dir(), "cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
	gitIn(tb, r.Dir(), []byte(all), "rev-list", "--objects", "--stdin")
}

// reachable is what objects says of a repository that holds only what its
// references lead to.
func reachable(tb testing.TB, r *repo.Repo) string {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "clone")
	git(tb, "/", "clone", "-q", "--mirror", "file://"+r.Dir(), dir)
	return git(tb, dir, "cat-file", "--batch-all-objects", "--batch-check")
}

// forked makes a repository with commits on main, and on a branch that was
// deleted, each in packs of their own or loose.
func forked(t *testing.T, loose bool) (r *repo.Repo, src string, gone plumbing.Hash) {
	t.Helper()
	src = history(t, 12)
	git(t, src, "checkout", "-q", "-b", "gone", "main~6")
	for _, name := range []string{"one", "two", "src/main.py"} {
		write(t, src, name, "what goes: "+name)
		git(t, src, "add", ".")
		git(t, src, "commit", "-q", "-m", name)
	}
	git(t, src, "tag", "-a", "-m", "x", "v1")
	if loose {
		r = create(t, repo.Options{})
		gitIn(t, r.Dir(), pack(t, src, "main\ngone\nv1\n"), "unpack-objects", "-q")
	} else {
		r = pushed(t, src, "--thin", "--delta-base-offset")
		discard(t, take(t, r, pack(t, src, "gone~2\n^main\n", "--thin")))
		// What goes and what stays in one pack, deltas of the one against the other.
		git(t, src, "checkout", "-q", "main")
		write(t, src, "src/main.py", git(t, src, "show", "gone:src/main.py")+git(t, src, "show", "main:src/main.py"))
		git(t, src, "commit", "-q", "-a", "-m", "more")
		discard(t, take(t, r, pack(t, src, "main\ngone\nv1\n^main~1\n^gone~2\n", "--window=50", "--thin")))
	}
	git(t, r.Dir(), "update-ref", "refs/heads/main", rev(t, src, "main").String())
	return r, src, rev(t, src, "gone")
}

func TestSweep(t *testing.T) {
	t.Parallel()
	for name, loose := range map[string]bool{"packs": false, "loose": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, src, gone := forked(t, loose)
			before, want := objects(t, r), reachable(t, r)
			if before == want {
				t.Fatal("everything is reachable")
			}
			if done := sweep(t, r); done.Objects != 0 {
				t.Errorf("Sweep removed %d objects that came just now", done.Objects)
			}
			age(t, r)
			// A reference is enough for an object to stay, and so is a log of one.
			git(t, r.Dir(), "update-ref", "refs/heads/again", gone.String())
			if done := sweep(t, r); !loose && objects(t, r) == want || done.Objects > 2 { // the tag has gone
				t.Errorf("Sweep removed %d objects that a reference leads to", done.Objects)
			}
			git(t, r.Dir(), "-c", "core.logAllRefUpdates=always", "update-ref", "-m", "x", "refs/heads/logged", gone.String()+"~1")
			git(t, r.Dir(), "update-ref", "refs/heads/logged", rev(t, src, "main").String())
			git(t, r.Dir(), "update-ref", "-d", "refs/heads/again")
			sweep(t, r)
			closed(t, r)
			if ok, err := open(t, r.Dir(), repo.Options{}).Has(rev(t, src, "gone~1")); !ok || err != nil {
				t.Errorf("Has = %v, %v for what a log of a reference names", ok, err)
			}
			git(t, r.Dir(), "update-ref", "-d", "refs/heads/logged")

			age(t, r)
			sweep(t, r)
			if got := objects(t, r); got != want {
				t.Errorf("objects after Sweep:\n%swant:\n%s", got, want)
			}
			closed(t, r)
			if !loose {
				checkIndexes(t, r)
			}
			if done := sweep(t, r); done.Objects != 0 || done.Packs != 0 {
				t.Errorf("Sweep did %+v where nothing is to be done", done)
			}
			send(t, r, bare(t), []plumbing.Hash{rev(t, src, "main")}, nil, repo.PackOptions{})
		})
	}
}

// What is young stays, and so does all that it leads to, however old.
func TestSweepKeepsClosed(t *testing.T) {
	t.Parallel()
	r, src, gone := forked(t, false)
	want := reachable(t, r)
	age(t, r)
	git(t, src, "checkout", "-q", "gone")
	git(t, src, "commit", "-q", "--allow-empty", "-m", "young")
	discard(t, take(t, r, pack(t, src, "gone\n^gone~1\n")))
	before := objects(t, r)
	if done := sweep(t, r); done.Objects != 1 { // the tag
		t.Errorf("Sweep removed %d objects, want only the tag", done.Objects)
	}
	closed(t, r)
	// The commit builds on what no reference leads to.
	q := take(t, r, pack(t, src, "gone\n^gone~1\n"), rev(t, src, "gone"))
	age(t, r)
	if _, err := r.Sweep(t.Context(), repo.SweepOptions{OlderThan: time.Hour}); !errors.Is(err, repo.ErrBusy) && err != nil {
		t.Errorf("Sweep = %v", err)
	}
	git(t, r.Dir(), "update-ref", "refs/heads/gone", gone.String())
	git(t, r.Dir(), "update-ref", "-d", "refs/heads/gone")
	discard(t, q)
	if strings.Count(objects(t, r), "\n") != strings.Count(before, "\n")-1 {
		t.Errorf("objects:\n%swant:\n%s", objects(t, r), before)
	}
	age(t, r)
	sweep(t, r)
	if got := objects(t, r); got != want {
		t.Errorf("objects after Sweep:\n%swant:\n%s", got, want)
	}
	closed(t, r)
}

// A push under way keeps what it was checked against.
func TestSweepWaitsForPushes(t *testing.T) {
	t.Parallel()
	r, src, _ := forked(t, false)
	age(t, r)
	git(t, src, "checkout", "-q", "gone")
	git(t, src, "commit", "-q", "--allow-empty", "-m", "on what no reference leads to")
	tip := rev(t, src, "gone")
	q, err := r.Ingest(t.Context(), bytes.NewReader(pack(t, src, "gone\n^gone~1\n")), repo.IngestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := q.CheckConnected(t.Context(), []plumbing.Hash{tip}); err != nil {
		t.Fatal(err)
	}
	before := objects(t, r)
	busy := func(while string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := r.Sweep(ctx, repo.SweepOptions{}); !errors.Is(err, repo.ErrBusy) {
			t.Errorf("Sweep = %v while %s, want %v", err, while, repo.ErrBusy)
		}
		if got := objects(t, r); got != before {
			t.Errorf("objects were removed while %s", while)
		}
	}
	busy("a push is checked")
	discard(t, q)
	// A push of nothing but a reference to what no other one leads to.
	tx, err := r.Update(t.Context(), []repo.RefUpdate{{Name: "refs/heads/gone", New: rev(t, src, "gone~1")}})
	if err != nil || tx.Failed() {
		t.Fatal(err, tx.Verdicts())
	}
	busy("a reference is about to move")
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if done := sweep(t, r); done.Objects != 1 { // the tag
		t.Errorf("Sweep removed %d objects, want only the tag", done.Objects)
	}
	closed(t, r)
}

// A commit that an administrator has removed while a push was checked is missed
// before references move.
func TestPushMissesWhatGCRemoved(t *testing.T) {
	t.Parallel()
	r, src, _ := forked(t, false)
	git(t, src, "checkout", "-q", "gone")
	git(t, src, "commit", "-q", "--allow-empty", "-m", "next")
	q, err := r.Ingest(t.Context(), bytes.NewReader(pack(t, src, "gone\n^gone~1\n")), repo.IngestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer discard(t, q)
	if err := q.CheckConnected(t.Context(), []plumbing.Hash{rev(t, src, "gone")}); err != nil {
		t.Fatal(err)
	}
	old := rev(t, src, "gone~1")
	git(t, r.Dir(), "-c", "gc.reflogExpire=now", "gc", "-q", "--prune=now")
	if err := q.Migrate(); !errors.Is(err, repo.ErrMissing) {
		t.Errorf("Migrate = %v, want %v", err, repo.ErrMissing)
	}
	if ok, err := open(t, r.Dir(), repo.Options{}).Has(rev(t, src, "gone")); ok || err != nil {
		t.Errorf("Has = %v, %v for an object that builds on nothing", ok, err)
	}
	if v := move(t, r, repo.RefUpdate{Name: "refs/heads/old", New: old}); !errors.Is(v[0], repo.ErrRefObject) {
		t.Errorf("Update = %v, want %v", v[0], repo.ErrRefObject)
	}
}

// Nothing is removed where a reference makes no sense, or where there are
// references that are not looked at.
func TestSweepRefuses(t *testing.T) {
	t.Parallel()
	for name, file := range map[string][2]string{
		"empty reference":      {"refs/heads/x", ""},
		"missing object":       {"refs/heads/x", strings.Repeat("1", 40) + "\n"},
		"damaged packed-refs":  {"packed-refs", "what\n"},
		"reference to garbage": {"refs/heads/a b", "no hash\n"},
		"work trees":           {"worktrees/x/HEAD", "ref: refs/heads/x\n"},
		"shallow":              {"shallow", ""},
		"git gc":               {"gc.pid", "1 elsewhere"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _, _ := forked(t, false)
			age(t, r)
			before := objects(t, r)
			write(t, r.Dir(), file[0], file[1])
			if done, err := r.Sweep(t.Context(), repo.SweepOptions{}); err == nil || done.Objects > 0 {
				t.Errorf("Sweep = %+v, %v, want an error", done, err)
			}
			if after := objects(t, r); after != before {
				t.Errorf("objects after Sweep:\n%swant:\n%s", after, before)
			}
		})
	}
}
