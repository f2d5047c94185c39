package repo_test

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/repo"
)

// fork makes a repository whose commits are, from old to young,
//
//	1 - 2 - 3 - 5 - 6
//	     \ 4 ----- /
func fork(t *testing.T) (*repo.Repo, []plumbing.Hash) {
	t.Helper()
	dir := bare(t)
	commits := make([]plumbing.Hash, 7)
	empty := string(gitIn(t, dir, nil, "mktree"))
	for i, parents := range [][]int{1: {}, 2: {1}, 3: {2}, 4: {2}, 5: {3}, 6: {5, 4}} {
		if i == 0 {
			continue
		}
		args := []string{"-c", fmt.Sprintf("user.name=%d", i), "commit-tree", "-m", fmt.Sprint(i), empty[:40]}
		for _, p := range parents {
			args = append(args, "-p", commits[p].String())
		}
		commits[i] = plumbing.NewHash(string(gitIn(t, dir, nil, args...))[:40])
	}
	return open(t, dir, repo.Options{}), commits
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	r, c := fork(t)
	none := plumbing.NewHash("1111111111111111111111111111111111111111")
	for _, x := range []struct {
		name          string
		tips, objects []plumbing.Hash
		limit         int
		want          string
		err           error
	}{
		{"the tip itself", []plumbing.Hash{c[6]}, []plumbing.Hash{c[6]}, 0, "[]", nil},
		{"the first commit", []plumbing.Hash{c[6]}, []plumbing.Hash{c[1]}, 10, "[]", nil},
		{"a younger commit", []plumbing.Hash{c[3], none}, []plumbing.Hash{c[4], c[2]}, 10, fmt.Sprint([]plumbing.Hash{c[4]}), nil},
		{"no tips", nil, []plumbing.Hash{c[4]}, 10, fmt.Sprint([]plumbing.Hash{c[4]}), nil},
		{"too far", []plumbing.Hash{c[6]}, []plumbing.Hash{c[1]}, 2, "[]", repo.ErrLimit},
	} {
		got, err := r.Unreachable(t.Context(), x.tips, x.objects, x.limit)
		if fmt.Sprint(got) != x.want || !errors.Is(err, x.err) {
			t.Errorf("%s: Unreachable() = %v, %v, want %s, %v", x.name, got, err, x.want, x.err)
		}
	}
}

func TestShallowRepository(t *testing.T) {
	t.Parallel()
	src := history(t, 5)
	dir := t.TempDir()
	git(t, dir, "clone", "-q", "--bare", "--depth", "2", "file://"+src, "copy")
	if _, err := repo.Open(dir+"/copy", repo.Options{}); !errors.Is(err, repo.ErrFormat) {
		t.Errorf("Open() of a shallow repository = %v, want ErrFormat", err)
	}
}

// BenchmarkFetch serves what clones of BENCH_REPO that are not whole ask for.
func BenchmarkFetch(b *testing.B) {
	dir := os.Getenv("BENCH_REPO")
	if dir == "" {
		b.Skip("BENCH_REPO is not set")
	}
	for _, c := range []struct {
		name, filter string
		depth        int
	}{
		{"depth 1", "", 1},
		{"depth 100", "", 100},
		{"no blobs", "blob:none", 0},
		{"no blobs, depth 1", "blob:none", 1},
		{"small blobs", "blob:limit=4k", 0},
		{"no trees", "tree:0", 0},
		{"two levels", "tree:2", 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				r := open(b, dir, repo.Options{})
				wants := []plumbing.Hash{head(b, dir)}
				o := repo.PackOptions{OfsDelta: true}
				if c.filter != "" {
					f, err := repo.ParseFilter(c.filter)
					if err != nil {
						b.Fatal(err)
					}
					o.Filter = f
				}
				if c.depth > 0 {
					bound, err := r.Deepen(b.Context(), wants, nil, repo.Deepening{Depth: c.depth})
					if err != nil {
						b.Fatal(err)
					}
					o.Shallow = bound.Shallow
				}
				var n counter
				if err := r.WritePack(b.Context(), &n, wants, nil, o); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(n), "pack-bytes")
			}
		})
	}
}
