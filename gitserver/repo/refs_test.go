package repo_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/repo"
)

func TestCheckRefName(t *testing.T) {
	t.Parallel()
	names := []string{
		"refs/heads/main", "refs/heads/feature/x", "refs/tags/v1.0", "refs/heads/a@b", "refs/heads/@", "refs/a",
		"refs/heads/ü", "refs/heads/-x", "refs/heads/a.b", "refs/heads/x.locks", "refs/heads/{x}",
		"", "refs", "refs/", "HEAD", "heads/main", "refs//a", "/refs/heads/a", "refs/heads/", "refs/heads/a..b",
		"refs/heads/.a", "refs/heads/a.", "refs/heads/a.lock", "refs/heads/a.lock/b", "refs/heads/a b",
		"refs/heads/a~1", "refs/heads/a^", "refs/heads/a:b", "refs/heads/a?", "refs/heads/a*", "refs/heads/a[b",
		`refs/heads/a\b`, "refs/heads/a@{1}", "refs/heads/a\x7f", "refs/heads/a\n", "refs/heads/a\tb",
		"refs/../config", "refs/heads/../../config", "refs/heads/a/./b", "refs/heads/a//b",
	}
	dir := t.TempDir()
	for _, name := range names {
		_, err := tryGit(t, dir, nil, "check-ref-format", name)
		want := err == nil && strings.HasPrefix(name, "refs/")
		if got := repo.CheckRefName(name); (got == nil) != want {
			t.Errorf("CheckRefName(%q) = %v, git accepts it: %v", name, got, want)
		} else if got != nil && !errors.Is(got, repo.ErrRefName) {
			t.Errorf("CheckRefName(%q) = %v, want %v", name, got, repo.ErrRefName)
		}
	}
	for _, name := range []string{"refs/heads/a\x00b", "refs/heads/" + strings.Repeat("a", 300), strings.Repeat("refs/", 1000) + "a"} {
		if err := repo.CheckRefName(name); !errors.Is(err, repo.ErrRefName) {
			t.Errorf("CheckRefName(%.20q...) = %v, want %v", name, err, repo.ErrRefName)
		}
	}
}

// withHistory is a repository with ten commits, c[0] the oldest.
func withHistory(t *testing.T) (*repo.Repo, []plumbing.Hash) {
	t.Helper()
	src := history(t, 10)
	r := create(t, repo.Options{LockTimeout: 50 * time.Millisecond})
	take(t, r, pack(t, src, "main\n"))
	var c []plumbing.Hash
	for line := range strings.FieldsSeq(git(t, src, "rev-list", "--reverse", "main")) {
		c = append(c, plumbing.NewHash(line))
	}
	return r, c
}

// move commits updates and returns their verdicts.
func move(t *testing.T, r *repo.Repo, updates ...repo.RefUpdate) []error {
	t.Helper()
	tx, err := r.Update(t.Context(), updates)
	if err != nil {
		t.Fatalf("Update: %v", err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatalf("Commit: %v", err)
	}
	return tx.Verdicts()
}

// sameRefs compares what we list with what git lists.
func sameRefs(t *testing.T, r *repo.Repo) {
	t.Helper()
	refs, err := r.Refs()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, ref := range refs {
		fmt.Fprintf(&b, "%s %s\n", ref.Hash, ref.Name)
		if got, err := r.Ref(ref.Name); err != nil || got.Hash != ref.Hash {
			t.Errorf("Ref(%s) = %v, %v, want %v", ref.Name, got, err, ref.Hash)
		}
	}
	if want := git(t, r.Dir(), "for-each-ref", "--format=%(objectname) %(refname)"); b.String() != want {
		t.Errorf("references are\n%s\ngit says\n%s", &b, want)
	}
	filepath.WalkDir(r.Dir(), func(path string, d os.DirEntry, _ error) error {
		if strings.HasSuffix(path, ".lock") || strings.HasSuffix(path, ".new") || strings.Contains(path, "/lock-") {
			t.Errorf("%s was left behind", path)
		}
		return nil
	})
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	r, c := withHistory(t)
	none := plumbing.ZeroHash
	steps := []struct {
		name    string
		updates []repo.RefUpdate
		want    []error
		git     []string
	}{
		{name: "create", updates: []repo.RefUpdate{{"refs/heads/main", none, c[0]}, {"refs/tags/a/b/c", none, c[1]}}, want: []error{nil, nil}},
		{name: "move", updates: []repo.RefUpdate{{"refs/heads/main", c[0], c[1]}}, want: []error{nil}},
		{name: "stale", updates: []repo.RefUpdate{{"refs/heads/main", c[0], c[2]}, {"refs/heads/x", none, c[2]}}, want: []error{repo.ErrRefStale, nil}},
		{name: "exists", updates: []repo.RefUpdate{{"refs/heads/main", none, c[2]}}, want: []error{repo.ErrRefStale}},
		{name: "does not exist", updates: []repo.RefUpdate{{"refs/heads/nix", c[0], c[2]}, {"refs/heads/nix2", c[0], none}}, want: []error{repo.ErrRefStale, repo.ErrRefStale}},
		{name: "file below file", updates: []repo.RefUpdate{{"refs/heads/main/x", none, c[2]}}, want: []error{repo.ErrRefConflict}},
		{name: "file in place of directory", updates: []repo.RefUpdate{{"refs/tags/a", none, c[2]}, {"refs/tags/a/b", none, c[2]}}, want: []error{repo.ErrRefConflict, repo.ErrRefConflict}},
		{name: "conflict inside", updates: []repo.RefUpdate{{"refs/heads/n/o", none, c[2]}, {"refs/heads/n", none, c[2]}}, want: []error{repo.ErrRefConflict, nil}},
		{name: "twice", updates: []repo.RefUpdate{{"refs/heads/t", none, c[2]}, {"refs/heads/t", none, c[3]}}, want: []error{nil, repo.ErrRefDuplicate}},
		{name: "bad name", updates: []repo.RefUpdate{{"refs/heads/a..b", none, c[2]}, {"refs/heads/x.lock", none, c[2]}, {"HEAD", none, c[2]}}, want: []error{repo.ErrRefName, repo.ErrRefName, repo.ErrRefName}},
		{name: "no object", updates: []repo.RefUpdate{{"refs/heads/o", none, plumbing.NewHash(strings.Repeat("1", 40))}}, want: []error{repo.ErrRefObject}},
		{name: "after pack-refs", git: []string{"pack-refs", "--all"}, updates: []repo.RefUpdate{{"refs/heads/main", c[1], c[2]}, {"refs/heads/x", c[2], none}, {"refs/tags/a/b", none, c[0]}}, want: []error{nil, nil, repo.ErrRefConflict}},
		{name: "packed and loose", updates: []repo.RefUpdate{{"refs/heads/main", c[2], none}}, want: []error{nil}},
		{name: "directory in place of packed file", updates: []repo.RefUpdate{{"refs/heads/t/u", none, c[0]}}, want: []error{repo.ErrRefConflict}},
		{name: "directory below packed ones", updates: []repo.RefUpdate{{"refs/tags/a/b/c", c[1], none}}, want: []error{nil}},
		{name: "which is free then", updates: []repo.RefUpdate{{"refs/tags/a", none, c[0]}}, want: []error{nil}},
		{name: "git moves, then we", git: []string{"update-ref", "refs/heads/g", c[4].String()}, updates: []repo.RefUpdate{{"refs/heads/g", c[4], c[5]}}, want: []error{nil}},
		{name: "symbolic", git: []string{"symbolic-ref", "refs/heads/sym", "refs/heads/g"}, updates: []repo.RefUpdate{{"refs/heads/sym", c[5], c[6]}}, want: []error{repo.ErrRefSymbolic}},
		{name: "delete nothing", updates: []repo.RefUpdate{{"refs/heads/never", none, none}}, want: []error{nil}},
	}
	for _, s := range steps {
		if s.git != nil {
			git(t, r.Dir(), s.git...)
		}
		got := move(t, r, s.updates...)
		for i := range got {
			if !errors.Is(got[i], s.want[i]) || (got[i] == nil) != (s.want[i] == nil) {
				t.Errorf("%s: verdict of %s = %v, want %v", s.name, s.updates[i].Name, got[i], s.want[i])
			}
		}
		sameRefs(t, r)
	}
	fsck(t, r)
}

func TestUpdateRefusesTreesOnBranches(t *testing.T) {
	t.Parallel()
	r, c := withHistory(t)
	cm, err := r.Commit(c[0])
	if err != nil {
		t.Fatal(err)
	}
	got := move(t, r, repo.RefUpdate{Name: "refs/heads/x", New: cm.Tree}, repo.RefUpdate{Name: "refs/tags/x", New: cm.Tree})
	if !errors.Is(got[0], repo.ErrRefObject) || got[1] != nil {
		t.Errorf("verdicts = %v", got)
	}
	sameRefs(t, r)
}

func TestUpdateAborts(t *testing.T) {
	t.Parallel()
	r, c := withHistory(t)
	move(t, r, repo.RefUpdate{Name: "refs/heads/main", New: c[0]}, repo.RefUpdate{Name: "refs/heads/gone", New: c[0]})
	git(t, r.Dir(), "pack-refs", "--all")
	tx, err := r.Update(t.Context(), []repo.RefUpdate{
		{Name: "refs/heads/main", Old: c[0], New: c[1]},
		{Name: "refs/heads/new/deep", New: c[1]},
		{Name: "refs/heads/gone", Old: c[0]},
	})
	if err != nil || tx.Failed() {
		t.Fatal(err)
	}
	// Git cannot move what we hold, and we cannot twice.
	if out, err := tryGit(t, r.Dir(), nil, "update-ref", "refs/heads/main", c[2].String()); err == nil {
		t.Errorf("git moved a locked reference: %s", out)
	}
	if got := move(t, r, repo.RefUpdate{Name: "refs/heads/main", Old: c[0], New: c[2]}); !errors.Is(got[0], repo.ErrRefLocked) {
		t.Errorf("verdict = %v, want %v", got[0], repo.ErrRefLocked)
	}
	before := git(t, r.Dir(), "for-each-ref")
	if err := tx.Abort(); err != nil {
		t.Fatal(err)
	}
	if after := git(t, r.Dir(), "for-each-ref"); before != after {
		t.Errorf("Abort changed references:\n%s", after)
	}
	if _, err := os.Stat(filepath.Join(r.Dir(), "refs/heads/new")); err == nil {
		t.Error("a directory was left behind")
	}
	sameRefs(t, r)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	git(t, r.Dir(), "update-ref", "refs/heads/locked", c[0].String())
	os.WriteFile(filepath.Join(r.Dir(), "refs/heads/locked.lock"), nil, 0o644)
	if tx, err := r.Update(ctx, []repo.RefUpdate{{Name: "refs/heads/locked", Old: c[0], New: c[1]}}); err == nil {
		if !tx.Failed() {
			t.Error("Update took a lock that somebody holds")
		}
		tx.Abort()
	}
}

// Eight writers of ours and git count one reference up; none may get lost.
func TestUpdateRaces(t *testing.T) {
	t.Parallel()
	r, c := withHistory(t)
	slow := open(t, r.Dir(), repo.Options{LockTimeout: 20 * time.Second, NoSync: true})
	move(t, r, repo.RefUpdate{Name: "refs/heads/main", New: c[0]})
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 4 {
		wg.Go(func() {
			for i := range 9 {
				tx, err := slow.Update(t.Context(), []repo.RefUpdate{{Name: "refs/heads/main", Old: c[i], New: c[i+1]}})
				if err != nil {
					t.Errorf("Update: %v", err)
					return
				}
				if tx.Failed() {
					if v := tx.Verdicts()[0]; !errors.Is(v, repo.ErrRefStale) {
						t.Errorf("verdict = %v", v)
					}
				} else {
					mu.Lock()
					won++
					mu.Unlock()
				}
				if err := tx.Commit(); err != nil {
					t.Errorf("Commit: %v", err)
				}
			}
		})
	}
	for range 5 {
		git(t, r.Dir(), "pack-refs", "--all")
	}
	wg.Wait()
	ref, err := r.Ref("refs/heads/main")
	if err != nil || ref.Hash != c[won] {
		t.Errorf("after %d moves the reference is at %s (%v), want %s", won, ref.Hash, err, c[won])
	}
	sameRefs(t, r)
}

func TestHead(t *testing.T) {
	t.Parallel()
	r, c := withHistory(t)
	if got, err := r.Head(); got != repo.DefaultHead || err != nil {
		t.Errorf("Head = %q, %v", got, err)
	}
	if _, err := r.Ref("HEAD"); !errors.Is(err, repo.ErrNotFound) {
		t.Errorf("Ref(HEAD) = %v, want %v", err, repo.ErrNotFound)
	}
	if err := r.SetHead(t.Context(), "refs/heads/other"); err != nil {
		t.Fatal(err)
	}
	move(t, r, repo.RefUpdate{Name: "refs/heads/other", New: c[3]})
	if got := strings.TrimSpace(git(t, r.Dir(), "symbolic-ref", "HEAD")); got != "refs/heads/other" {
		t.Errorf("git says HEAD is %q", got)
	}
	if ref, err := r.Ref("HEAD"); err != nil || ref.Hash != c[3] || ref.Target != "refs/heads/other" {
		t.Errorf("Ref(HEAD) = %v, %v", ref, err)
	}
	if err := r.SetHead(t.Context(), "refs/tags/x"); !errors.Is(err, repo.ErrRefName) {
		t.Errorf("SetHead = %v, want %v", err, repo.ErrRefName)
	}
}

func TestRefsPeeled(t *testing.T) {
	t.Parallel()
	r, c := withHistory(t)
	git(t, r.Dir(), "tag", "-a", "v1", "-m", "one", c[2].String())
	git(t, r.Dir(), "tag", "v2", c[2].String())
	git(t, r.Dir(), "pack-refs", "--all")
	refs, err := r.Refs()
	if err != nil || len(refs) != 2 || refs[0].Peeled != c[2] || !refs[1].Peeled.IsZero() {
		t.Errorf("Refs = %v, %v", refs, err)
	}
	if h, kind, err := r.Peel(refs[0].Hash); h != c[2] || kind != plumbing.CommitObject || err != nil {
		t.Errorf("Peel = %v, %v, %v", h, kind, err)
	}
	move(t, r, repo.RefUpdate{Name: "refs/tags/v2", Old: c[2]})
	packed, _ := os.ReadFile(filepath.Join(r.Dir(), "packed-refs"))
	if !strings.Contains(string(packed), "fully-peeled") || !strings.Contains(string(packed), "\n^"+c[2].String()) {
		t.Errorf("packed-refs lost what it knew:\n%s", packed)
	}
	sameRefs(t, r)
}

func TestCreate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "x.git")
	if err := repo.Create(dir); err != nil {
		t.Fatal(err)
	}
	if err := repo.Create(dir); !errors.Is(err, repo.ErrExists) {
		t.Errorf("Create again = %v, want %v", err, repo.ErrExists)
	}
	if got := strings.TrimSpace(git(t, dir, "rev-parse", "--is-bare-repository")); got != "true" {
		t.Errorf("git says bare is %s", got)
	}
	if _, err := repo.Open(t.TempDir(), repo.Options{}); !errors.Is(err, repo.ErrNotRepository) {
		t.Errorf("Open of an empty directory = %v, want %v", err, repo.ErrNotRepository)
	}
	sha256 := t.TempDir()
	git(t, sha256, "init", "-q", "--bare", "--object-format=sha256")
	if _, err := repo.Open(sha256, repo.Options{}); !errors.Is(err, repo.ErrFormat) || !strings.Contains(err.Error(), "sha256") {
		t.Errorf("Open of a SHA-256 repository = %v", err)
	}
	os.WriteFile(filepath.Join(dir, "objects/info/alternates"), []byte("/x\n"), 0o644)
	if _, err := repo.Open(dir, repo.Options{}); !errors.Is(err, repo.ErrFormat) {
		t.Errorf("Open with alternates = %v", err)
	}
}

// Empty directories stand in the place of a packed reference.
func TestDeletePackedBelowDirectories(t *testing.T) {
	t.Parallel()
	r, c := withHistory(t)
	move(t, r, repo.RefUpdate{Name: "refs/heads/a", New: c[0]})
	git(t, r.Dir(), "pack-refs", "--all")
	if err := os.MkdirAll(filepath.Join(r.Dir(), "refs/heads/a/b/c"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := move(t, r, repo.RefUpdate{Name: "refs/heads/a", Old: c[0]}); got[0] != nil {
		t.Error(got[0])
	}
	sameRefs(t, r)
	fsck(t, r)
}

// A loose reference that is broken or leads nowhere hides a packed one.
func TestRefsHidden(t *testing.T) {
	t.Parallel()
	r, c := withHistory(t)
	for _, name := range []string{"a", "broken", "nowhere", "z"} {
		move(t, r, repo.RefUpdate{Name: "refs/heads/" + name, New: c[0]})
	}
	git(t, r.Dir(), "pack-refs", "--all")
	write(t, r.Dir(), "refs/heads/broken", "")
	write(t, r.Dir(), "refs/heads/nowhere", "ref: refs/heads/none\n")
	sameRefs(t, r)
}

// The directory of a repository need not be written in its shortest form.
func TestOpenUnclean(t *testing.T) {
	t.Parallel()
	clean, c := withHistory(t)
	dir := clean.Dir() + "/./"
	r := open(t, dir, repo.Options{})
	move(t, r, repo.RefUpdate{Name: "refs/heads/a/b", New: c[0]})
	move(t, r, repo.RefUpdate{Name: "refs/heads/a/b", Old: c[0]})
	if _, err := os.Stat(filepath.Join(dir, "refs/heads")); err != nil {
		t.Error(err)
	}
	sameRefs(t, r)
}
