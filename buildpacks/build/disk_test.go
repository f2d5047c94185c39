package build

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/errdefs"
	"go.uber.org/zap"

	"slipway/internal/disk"
)

const mib = 1 << 20

// A fakeDisk has 1 GiB.
type fakeDisk struct {
	mu           sync.Mutex
	used, others disk.Usage
	err          error
	took         time.Duration // to measure
	measured     int
}

func (f *fakeDisk) limit() *diskLimit {
	return &diskLimit{
		max: disk.Usage{Bytes: 64 * mib, Files: 640},
		free: func() (disk.Usage, error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			return minus(disk.Usage{Bytes: 1024 * mib, Files: 10_000}, disk.Usage{
				Bytes: f.used.Bytes + f.others.Bytes, Files: f.used.Files + f.others.Files,
			}), nil
		},
		usage: func(ctx context.Context, _ string) (disk.Usage, error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.measured++
			select {
			case <-time.After(f.took):
			case <-ctx.Done():
				return disk.Usage{}, ctx.Err()
			}
			return f.used, f.err
		},
		log: zap.NewNop(),
	}
}

func TestDiskIsMeasuredWhenItShrinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeDisk{others: disk.Usage{Bytes: 100 * mib}}
		d := f.limit()
		d.begin()
		ctx, stop := d.guard(t.Context(), "c")
		step := func(used, others disk.Usage, want int) {
			t.Helper()
			f.mu.Lock()
			f.used, f.others = used, others
			f.mu.Unlock()
			time.Sleep(diskEvery)
			synctest.Wait()
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.measured != want {
				t.Errorf("measured %d times, want %d", f.measured, want)
			}
		}
		step(disk.Usage{Bytes: 15 * mib}, disk.Usage{Bytes: 100 * mib}, 0)
		step(disk.Usage{Bytes: 15 * mib}, disk.Usage{}, 0) // others free more than the build takes
		step(disk.Usage{Bytes: 32 * mib}, disk.Usage{}, 1)
		step(disk.Usage{Bytes: 39 * mib}, disk.Usage{}, 1) // less than a quarter of the other 32
		step(disk.Usage{Bytes: 39 * mib, Files: 170}, disk.Usage{}, 2)
		if ctx.Err() != nil {
			t.Fatalf("the build was ended: %v", context.Cause(ctx))
		}
		step(disk.Usage{Files: 641}, disk.Usage{}, 3)
		if ctx.Err() == nil {
			t.Error("the build goes on with 641 files, where 640 are allowed")
		}
		var told *Error
		if err := stop(); !errors.Is(err, ErrDisk) || !errors.As(err, &told) || !strings.Contains(told.Text, "640 files") {
			t.Errorf("stop() = %v", err)
		}
	})
}

func TestDiskIsMeasuredAnyway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeDisk{others: disk.Usage{Bytes: 500 * mib}, used: disk.Usage{Bytes: 65 * mib}}
		d := f.limit()
		d.begin()
		ctx, stop := d.guard(t.Context(), "c")
		started := time.Now()
		<-ctx.Done()
		if took := time.Since(started); took != diskAnyway {
			t.Errorf("the build was ended after %v, want %v", took, diskAnyway)
		}
		var told *Error
		if err := stop(); !errors.As(err, &told) || !told.UserFault || !strings.Contains(told.Text, "64 MiB") {
			t.Errorf("stop() = %v", err)
		}
	})
}

func TestDiskAtTheEnd(t *testing.T) {
	for name, c := range map[string]struct {
		used int64
		err  error
		want bool
	}{
		"little":                         {used: 10 * mib},
		"much":                           {used: 40 * mib},
		"too much":                       {used: 65 * mib, want: true},
		"gone":                           {used: 65 * mib, err: errdefs.ErrNotFound},
		"much that cannot be measured":   {used: 40 * mib, err: disk.ErrTooDeep},
		"too much and cannot be counted": {used: 65 * mib, err: disk.ErrTooDeep, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeDisk{err: c.err}
			d := f.limit()
			d.begin()
			_, stop := d.guard(t.Context(), "c")
			f.used.Bytes = c.used
			if err := stop(); errors.Is(err, ErrDisk) != c.want {
				t.Errorf("stop() = %v", err)
			}
		})
	}
}

// A container that ends while it is measured is not waited for.
func TestDiskStopsMeasuring(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeDisk{took: time.Hour}
		d := f.limit()
		d.begin()
		ctx, cancel := context.WithCancel(t.Context())
		_, stop := d.guard(ctx, "c")
		f.mu.Lock()
		f.used.Bytes = 65 * mib
		f.mu.Unlock()
		time.Sleep(2 * diskEvery)
		synctest.Wait()
		started := time.Now()
		cancel()
		if err := stop(); err != nil || time.Since(started) > 0 || f.measured == 0 {
			t.Errorf("stop() = %v after %v", err, time.Since(started))
		}
	})
}

func TestDiskOfOtherEngines(t *testing.T) {
	d := newDiskLimit(Config{Engine: &busyEngine{}})
	d.begin()
	_, stop := d.guard(t.Context(), "c")
	if err := stop(); err != nil {
		t.Errorf("stop() = %v", err)
	}
}
