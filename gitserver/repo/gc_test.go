package repo_test

import (
	"bytes"
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

// An administrator repacks and packs references all the time while pushes come
// in and others fetch.
func TestBesideGit(t *testing.T) {
	t.Parallel()
	const pushes = 12
	src := history(t, pushes+1)
	var commits []plumbing.Hash
	for line := range strings.FieldsSeq(git(t, src, "rev-list", "--reverse", "main")) {
		commits = append(commits, plumbing.NewHash(line))
	}
	r := create(t, repo.Options{NoSync: true})
	stop, stopped := make(chan struct{}), make(chan error)
	go func() {
		var err error
		for {
			select {
			case <-stop:
				stopped <- err
				return
			default:
			}
			for _, args := range [][]string{{"repack", "-adq"}, {"pack-refs", "--all", "--prune"}, {"gc", "-q"}} {
				if out, gerr := tryGit(t, r.Dir(), nil, args...); gerr != nil && err == nil {
					err = fmt.Errorf("git %v: %w\n%s", args, gerr, out)
				}
			}
		}
	}()
	old := plumbing.ZeroHash
	for i, tip := range commits {
		revs := tip.String() + "\n"
		if i > 0 {
			revs += "^" + old.String() + "\n"
		}
		q := take(t, r, pack(t, src, revs, "--thin", "--delta-base-offset"), tip)
		for _, u := range []repo.RefUpdate{{Name: "refs/heads/main", Old: old, New: tip}, {Name: fmt.Sprintf("refs/tags/t%d", i), New: tip}} {
			if v := move(t, r, u); v[0] != nil {
				t.Fatalf("push %d: %v", i, v[0])
			}
		}
		if i > 0 {
			if v := move(t, r, repo.RefUpdate{Name: fmt.Sprintf("refs/tags/t%d", i-1), Old: old}); v[0] != nil {
				t.Fatalf("push %d: %v", i, v[0])
			}
		}
		if err := q.Discard(); err != nil {
			t.Fatal(err)
		}
		old = tip
		again := open(t, r.Dir(), repo.Options{})
		for _, r := range []*repo.Repo{r, again} {
			var b bytes.Buffer
			if err := r.WritePack(t.Context(), &b, []plumbing.Hash{tip}, nil, repo.PackOptions{OfsDelta: true}); err != nil {
				t.Fatalf("push %d: WritePack: %v", i, err)
			}
			gitIn(t, bare(t), b.Bytes(), "index-pack", "--stdin")
		}
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	sameRefs(t, r)
	fsck(t, r)
	if refs, err := r.Refs(); err != nil || len(refs) != 2 {
		t.Errorf("Refs = %v, %v, want main and one tag", refs, err)
	}
	if keeps, _ := filepath.Glob(filepath.Join(r.Dir(), "objects/pack/*.keep")); len(keeps) > 0 {
		t.Errorf("left behind: %v", keeps)
	}
	if err := os.WriteFile(filepath.Join(r.Dir(), "objects/pack/pack-x.keep"), []byte("theirs\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := r.CleanStale(); err != nil {
		t.Fatal(err)
	}
	if keeps, _ := filepath.Glob(filepath.Join(r.Dir(), "objects/pack/*.keep")); len(keeps) != 1 {
		t.Error("a .keep of somebody else was removed")
	}
}

// Whoever finds the directory of packs read already looks at what was found.
func TestFindAtOnce(t *testing.T) {
	t.Parallel()
	src := history(t, 3)
	tip := head(t, src)
	dir := create(t, repo.Options{}).Dir()
	take(t, open(t, dir, repo.Options{}), pack(t, src, "main\n"))
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "objects/pack"), old, old); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		r, err := repo.Open(dir, repo.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		start := make(chan struct{})
		for range 4 {
			all.Go(func() {
				<-start
				if ok, err := r.Has(tip); !ok || err != nil {
					t.Errorf("Has = %v, %v", ok, err)
				}
			})
		}
		close(start)
		all.Wait()
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
