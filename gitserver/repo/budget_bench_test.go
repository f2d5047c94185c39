package repo_test

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/repo"
)

// peak is the most memory that the process had so far, in MiB.
func peak(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")))
			if err != nil {
				b.Fatal(err)
			}
			return float64(kb) / 1024
		}
	}
	b.Skip("no VmHWM")
	return 0
}

// Eight pushes at once, each of which would hold a multiple of its largest
// object: with a budget, the peak stays near it.
func BenchmarkBadPushes(b *testing.B) {
	const size, pushes = 100 << 20, 8
	var c crafted
	c.object(plumbing.BlobObject, strings.Repeat("\x00", size))
	for i := range 6 {
		c.ofs(i, more(size+i, byte(i)))
	}
	pack := c.finish()
	start := peak(b)
	for b.Loop() {
		budget := repo.NewBudget(512<<20, time.Minute)
		if os.Getenv("NO_BUDGET") != "" {
			budget = nil
		}
		var all sync.WaitGroup
		for range pushes {
			r := create(b, repo.Options{Budget: budget, MaxInflateRatio: -1})
			all.Go(func() {
				q, err := r.Ingest(b.Context(), bytes.NewReader(pack), repo.IngestOptions{EOF: true})
				if err != nil {
					b.Error(err)
					return
				}
				if err := q.Discard(); err != nil {
					b.Error(err)
				}
			})
		}
		all.Wait()
	}
	b.ReportMetric(start, "start-MiB")
	b.ReportMetric(peak(b), "peak-MiB")
}
