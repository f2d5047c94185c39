package repo_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/repo"
)

// manyPacks makes a repository of n small packs: a commit with a tree and a blob each.
func manyPacks(tb testing.TB, n int) *repo.Repo {
	tb.Helper()
	r := create(tb, repo.Options{NoSync: true})
	parent := ""
	for i := range n {
		var c crafted
		blob := c.object(plumbing.BlobObject, strings.Repeat(fmt.Sprintln("version", i), 10))
		tree := c.object(plumbing.TreeObject, "100644 file\x00"+string(blob[:]))
		text := commitText(tree.String())
		if parent != "" {
			text = strings.Replace(text, "\nauthor", "\nparent "+parent+"\nauthor", 1)
		}
		tip := c.object(plumbing.CommitObject, text)
		discard(tb, take(tb, r, c.finish(), tip))
		parent = tip.String()
	}
	git(tb, r.Dir(), "update-ref", "refs/heads/main", parent)
	return r
}

// BenchmarkRepack joins 1000 small packs, and has git do the same.
func BenchmarkRepack(b *testing.B) {
	const n = 1000
	src := manyPacks(b, n).Dir()
	if dir := os.Getenv("BENCH_PACKS"); dir != "" {
		src = dir
	}
	for _, who := range []string{"ours", "git"} {
		b.Run(who, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				dir := b.TempDir() + "/copy.git"
				gitIn(b, "/", nil, "init", "-q", "--bare", dir)
				if err := os.CopyFS(dir+"/objects/pack", os.DirFS(src+"/objects/pack")); err != nil {
					b.Fatal(err)
				}
				git(b, dir, "update-ref", "refs/heads/main", head(b, src).String())
				r := open(b, dir, repo.Options{})
				b.StartTimer()
				if who == "git" {
					git(b, dir, "repack", "-q", "--geometric=2", "-d")
				} else {
					repack(b, r, repo.RepackOptions{})
				}
				b.StopTimer()
				if got := len(packs(b, r)); got != 1 {
					b.Fatalf("%d packs are left", got)
				}
				b.StartTimer()
			}
		})
	}
}

// BenchmarkManyPacks opens a repository of 1000 packs and looks for an object.
func BenchmarkManyPacks(b *testing.B) {
	for _, n := range []int{1, 30, 1000} {
		r := manyPacks(b, n)
		tip := head(b, r.Dir())
		b.Run(fmt.Sprint(n, " packs"), func(b *testing.B) {
			for b.Loop() {
				r, err := repo.Open(r.Dir(), repo.Options{})
				if err != nil {
					b.Fatal(err)
				}
				if ok, err := r.Has(tip); !ok || err != nil {
					b.Fatal(ok, err)
				}
				if err := r.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkManyRefs moves one reference beside 100,000 packed ones.
func BenchmarkManyRefs(b *testing.B) {
	r := manyPacks(b, 1)
	tip := head(b, r.Dir())
	var text strings.Builder
	text.WriteString("# pack-refs with: peeled fully-peeled sorted \n")
	for i := range 100_000 {
		fmt.Fprintf(&text, "%s refs/heads/b%06d\n", tip, i)
	}
	write(b, r.Dir(), "packed-refs", text.String())
	b.Run("update", func(b *testing.B) {
		for b.Loop() {
			for _, u := range []repo.RefUpdate{{Name: "refs/heads/x", New: tip}, {Name: "refs/heads/x", Old: tip}} {
				tx, err := r.Update(b.Context(), []repo.RefUpdate{u})
				if err != nil || tx.Failed() {
					b.Fatal(err, tx.Verdicts())
				}
				if err := tx.Commit(); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			if _, err := r.Refs(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			if _, err := r.Ref("refs/heads/b050000"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
