package gitserver

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestPace(t *testing.T) {
	t.Parallel()
	const credit, rate = 10 * time.Second, 100
	for _, c := range []struct {
		name  string
		every time.Duration // between two reads that bring something
		bytes int
		want  time.Duration // until it is cut off; 0 for never
	}{
		{"silent", time.Hour, 1, credit},
		{"fast", time.Second, 200, 0},
		{"as slow as may be", time.Second, rate, 0},
		{"a little too slow", time.Second, rate / 2, 19500 * time.Millisecond},
		{"a byte now and then", 9 * time.Second, 1, 10*time.Second + 10*time.Millisecond},
		{"a burst, then silence", 9 * time.Second, 1_000_000, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p, start := newPace(credit, rate), time.Now()
				for range 100 {
					until, done := p.wait()
					if time.Now().Add(c.every).After(until) {
						if got := until.Sub(start); got != c.want {
							t.Errorf("cut off after %v, want %v", got, c.want)
						}
						return
					}
					time.Sleep(c.every)
					done(c.bytes)
				}
				if c.want != 0 {
					t.Errorf("not cut off, want after %v", c.want)
				}
			})
		})
	}
}

func TestPaceEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPace(time.Hour, 1)
		end := time.Now().Add(time.Minute)
		p.end(end)
		if until, _ := p.wait(); !until.Equal(end) {
			t.Errorf("wait() until %v, want %v", until, end)
		}
	})
}
