package repo_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/repo"
)

func TestBudgetWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := repo.NewBudget(100, time.Minute)
		told := 0
		first, elder, third := b.Claim(nil), b.Claim(nil), b.Claim(func() { told++ })
		hold := func(c *repo.Claim, n int64) {
			t.Helper()
			if err := c.Hold(t.Context(), n); err != nil {
				t.Fatalf("Hold(%d) = %v", n, err)
			}
		}
		hold(first, 80)
		hold(elder, 50) // nobody else overdraws
		hold(elder, 500)
		start := time.Now()
		if err := third.Hold(t.Context(), 10); !errors.Is(err, repo.ErrMemory) || time.Since(start) != time.Minute {
			t.Errorf("Hold() = %v after %v, want %v after a minute", err, time.Since(start), repo.ErrMemory)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := third.Hold(ctx, 10); !errors.Is(err, context.Canceled) {
			t.Errorf("Hold() = %v, want %v", err, context.Canceled)
		}
		done := make(chan error, 1)
		go func() { done <- third.Hold(t.Context(), 10) }()
		synctest.Wait()
		elder.Release()
		if err := <-done; err != nil {
			t.Errorf("Hold() = %v, once there is room", err)
		}
		if first.Held() != 80 || elder.Held() != 0 || third.Held() != 10 || told != 1 {
			t.Errorf("held: %d, %d, %d; told %d times", first.Held(), elder.Held(), third.Held(), told)
		}
		first.Release()
		third.Release()
		hold(first, 100) // all of it is back
		if third := b.Claim(nil); third.Hold(t.Context(), 0) != nil || third.Hold(t.Context(), -1) != nil {
			t.Error("nothing cannot be held")
		}
		first.Release()
	})
}

// Pushes that hold a part each and want more all finish.
func TestBudgetNeverLocks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const each, steps, budget = 10, 10, 120
		b := repo.NewBudget(budget, time.Hour)
		var mu sync.Mutex
		held, most := 0, 0
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				c := b.Claim(nil)
				for range steps {
					if err := c.Hold(t.Context(), each); err != nil {
						t.Errorf("Hold() = %v", err)
						return
					}
					mu.Lock()
					held += each
					most = max(most, held)
					mu.Unlock()
					time.Sleep(time.Second)
				}
				mu.Lock()
				held -= each * steps
				mu.Unlock()
				c.Release()
			})
		}
		all.Wait()
		if limit := budget + each*steps; most > limit {
			t.Errorf("%d were held, want at most %d", most, limit)
		}
	})
}

func TestNoBudget(t *testing.T) {
	t.Parallel()
	var b *repo.Budget
	c := b.Claim(nil)
	if err := c.Hold(t.Context(), 1<<50); err != nil || c.Held() != 0 {
		t.Errorf("Hold() = %v", err)
	}
	c.Release()
}

// A pack that needs more than others leave waits, says so, and is refused when
// nothing becomes free.
func TestIngestWaitsForMemory(t *testing.T) {
	t.Parallel()
	const size = 4 << 20
	var c crafted
	c.object(plumbing.BlobObject, strings.Repeat("x", size))
	c.ofs(0, insert(size, "y"))
	pack := c.finish()
	budget := repo.NewBudget(16<<20, 50*time.Millisecond)
	r := create(t, repo.Options{Budget: budget})
	others, elder := budget.Claim(nil), budget.Claim(nil)
	if others.Hold(t.Context(), 14<<20) != nil || elder.Hold(t.Context(), 1<<30) != nil {
		t.Fatal("the budget is not free")
	}
	told := 0
	o := repo.IngestOptions{EOF: true, OnWait: func() { told++ }}
	if _, err := r.Ingest(t.Context(), bytes.NewReader(pack), o); !errors.Is(err, repo.ErrMemory) || told != 1 {
		t.Errorf("Ingest = %v, told %d times, want %v", err, told, repo.ErrMemory)
	}
	fsck(t, r)
	others.Release()
	elder.Release()
	take(t, r, pack)
	if told != 1 {
		t.Errorf("told %d times that it waits, want once", told)
	}
	// The repository's cache keeps a part until it is closed.
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	last := budget.Claim(nil)
	elder = budget.Claim(nil)
	if elder.Hold(t.Context(), 1<<30) != nil {
		t.Fatal("the budget is not free")
	}
	elder.Release()
	if err := last.Hold(t.Context(), 16<<20); err != nil {
		t.Errorf("Hold() = %v: not everything was given back", err)
	}
}

// more is a delta that adds a byte to a base of n bytes.
func more(n int, last byte) []byte {
	d := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(n)), uint64(n)+1)
	for left, off := n, 0; left > 0; {
		k := min(left, 0xffffff)
		d = append(d, 0xff, byte(off), byte(off>>8), byte(off>>16), byte(off>>24), byte(k), byte(k>>8), byte(k>>16))
		left -= k
		off += k
	}
	return append(d, 1, last)
}

// Zeros inflate a thousandfold, and a delta makes far more out of nothing: the
// ratio counts from 1 GiB on.
func TestIngestRatio(t *testing.T) {
	t.Parallel()
	const size = 20 << 20
	bomb := func(copies int) []byte {
		var c crafted
		c.object(plumbing.BlobObject, strings.Repeat("\x00", size))
		for i := range copies {
			c.ofs(0, more(size, byte(i)))
		}
		return c.finish()
	}
	const half, whole = 1 << 29 / size, 1<<30/size + 1
	for name, tt := range map[string]struct {
		o      repo.Options
		copies int
		want   string // in the error
	}{
		"below 1 GiB":  {repo.Options{MaxInflateRatio: 1, MaxInflated: 1 << 29}, half, "objects of more than"},
		"above":        {repo.Options{}, whole, "at most 10000 times"},
		"switched off": {repo.Options{MaxInflateRatio: -1, MaxInflated: 1<<30 + size}, whole, "objects of more than"},
		"high":         {repo.Options{MaxInflateRatio: 1 << 20, MaxInflated: 1<<30 + size}, whole, "objects of more than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := create(t, tt.o)
			_, err := r.Ingest(t.Context(), bytes.NewReader(bomb(tt.copies)), repo.IngestOptions{EOF: true})
			if !errors.Is(err, repo.ErrLimit) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Ingest = %v, want %v with %q", err, repo.ErrLimit, tt.want)
			}
			fsck(t, r)
		})
	}
}
