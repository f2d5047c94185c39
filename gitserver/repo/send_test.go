package repo_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/repo"
)

// send writes a pack and has git unpack it into a repository.
func send(t *testing.T, r *repo.Repo, into string, wants, haves []plumbing.Hash, o repo.PackOptions) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := r.WritePack(t.Context(), &b, wants, haves, o); err != nil {
		t.Fatalf("WritePack: %v", err)
	}
	gitIn(t, into, b.Bytes(), "index-pack", "--stdin", "--fix-thin")
	for i, h := range wants {
		git(t, into, "update-ref", "refs/wants/"+string(rune('a'+i)), h.String())
	}
	git(t, into, "fsck", "--strict", "--full")
	return b.Bytes()
}

func bare(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	git(t, dir, "init", "-q", "--bare")
	return dir
}

func TestWritePack(t *testing.T) {
	t.Parallel()
	src := history(t, 80)
	git(t, src, "tag", "-a", "v1", "-m", "one", "main~5")
	r := create(t, repo.Options{})
	// Three packs, one of them completed, and loose objects.
	take(t, r, pack(t, src, "main~40\n", "--delta-base-offset"))
	take(t, r, pack(t, src, "main~20\n^main~40\n", "--thin"))
	take(t, r, pack(t, src, "main~1\n^main~20\n", "--thin", "--delta-base-offset"))
	gitIn(t, r.Dir(), pack(t, src, "main\nv1\n^main~1\n", "--thin"), "unpack-objects", "-q")
	tip, tag := head(t, src), rev(t, src, "v1")
	want := strings.Count(git(t, src, "rev-list", "--objects", "main", "v1"), "\n")
	for name, o := range map[string]repo.PackOptions{
		"plain":          {},
		"offset deltas":  {OfsDelta: true},
		"thin":           {OfsDelta: true, Thin: true},
		"with tags":      {OfsDelta: true, IncludeTag: true},
		"thin reference": {Thin: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			full := bare(t)
			b := send(t, r, full, []plumbing.Hash{tip, tag}, nil, o)
			if got := int(b[8])<<24 | int(b[9])<<16 | int(b[10])<<8 | int(b[11]); got != want {
				t.Errorf("%d objects sent, want %d", got, want)
			}
			step := bare(t)
			send(t, r, step, []plumbing.Hash{rev(t, src, "main~30")}, nil, o)
			send(t, r, step, []plumbing.Hash{tip}, []plumbing.Hash{rev(t, src, "main~30"), plumbing.NewHash(strings.Repeat("1", 40))}, o)
			if got, want := git(t, step, "rev-list", "--objects", tip.String()), git(t, src, "rev-list", "--objects", "main"); got != want {
				t.Error("objects differ")
			}
			none := bare(t)
			git(t, none, "fetch", "-q", src, "main")
			b = send(t, r, none, []plumbing.Hash{tip}, []plumbing.Hash{tip}, o)
			if len(b) != 32 {
				t.Errorf("%d bytes sent to a reader that has everything", len(b))
			}
		})
	}
}

func TestWritePackAfterGC(t *testing.T) {
	t.Parallel()
	src := history(t, 30)
	r := create(t, repo.Options{})
	take(t, r, pack(t, src, "main~10\n"))
	take(t, r, pack(t, src, "main\n^main~10\n", "--thin"))
	git(t, r.Dir(), "update-ref", "refs/heads/main", head(t, src).String())
	if _, err := r.Commit(head(t, src)); err != nil {
		t.Fatal(err)
	}
	git(t, r.Dir(), "gc", "-q", "--prune=now")
	send(t, r, bare(t), []plumbing.Hash{head(t, src)}, nil, repo.PackOptions{OfsDelta: true})
	again := open(t, r.Dir(), repo.Options{})
	send(t, again, bare(t), []plumbing.Hash{head(t, src)}, nil, repo.PackOptions{OfsDelta: true})
}

func BenchmarkRepo(b *testing.B) {
	dir := os.Getenv("BENCH_REPO")
	if dir == "" {
		b.Skip("BENCH_REPO is not set")
	}
	data := pack(b, dir, git(b, dir, "rev-parse", "HEAD"), "--delta-base-offset")
	tip := head(b, dir)
	b.Run("ingest", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			r := create(b, repo.Options{})
			take(b, r, data, tip)
		}
	})
	b.Run("send", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		r := create(b, repo.Options{})
		take(b, r, data, tip)
		for b.Loop() {
			var n counter
			if err := r.WritePack(b.Context(), &n, []plumbing.Hash{tip}, nil, repo.PackOptions{OfsDelta: true}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

type counter int

func (c *counter) Write(b []byte) (int, error) { *c += counter(len(b)); return len(b), nil }

// BenchmarkOneCommit takes in one commit on BENCH_REPO.
func BenchmarkOneCommit(b *testing.B) {
	dir := os.Getenv("BENCH_REPO")
	if dir == "" {
		b.Skip("BENCH_REPO is not set")
	}
	r := create(b, repo.Options{})
	take(b, r, pack(b, dir, git(b, dir, "rev-parse", "HEAD~1"), "--delta-base-offset"))
	tip := head(b, dir)
	p := pack(b, dir, "HEAD\n^HEAD~1\n", "--thin", "--delta-base-offset")
	for b.Loop() {
		r := open(b, r.Dir(), repo.Options{})
		q, err := r.Ingest(b.Context(), bytes.NewReader(p), repo.IngestOptions{})
		if err != nil {
			b.Fatal(err)
		}
		if err := q.CheckConnected(b.Context(), []plumbing.Hash{tip}); err != nil {
			b.Fatal(err)
		}
		if err := q.Discard(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTinyPush takes in one commit on a small history.
func BenchmarkTinyPush(b *testing.B) {
	src := history(b, 20)
	base := pack(b, src, "main~1\n")
	p := pack(b, src, "main\n^main~1\n", "--thin")
	tip := head(b, src)
	for name, o := range map[string]repo.Options{"synced": {}, "not synced": {NoSync: true}} {
		b.Run(name, func(b *testing.B) {
			r := create(b, o)
			take(b, r, base)
			for n := 1; b.Loop(); n++ {
				if n%16 == 0 { // as upkeep does, beside pushes
					b.StopTimer()
					repack(b, r, repo.RepackOptions{})
					b.StartTimer()
				}
				r, err := repo.Open(r.Dir(), o)
				if err != nil {
					b.Fatal(err)
				}
				q := take(b, r, p, tip)
				for _, u := range []repo.RefUpdate{{Name: "refs/heads/main", New: tip}, {Name: "refs/heads/main", Old: tip}} {
					tx, err := r.Update(b.Context(), []repo.RefUpdate{u})
					if err != nil || tx.Failed() {
						b.Fatal(err, tx.Verdicts())
					}
					if err := tx.Commit(); err != nil {
						b.Fatal(err)
					}
				}
				discard(b, q)
				if err := r.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
