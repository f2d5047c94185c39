package repo_test

import (
	"os"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/repo"
)

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
