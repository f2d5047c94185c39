package repo

import (
	"context"
	"time"
)

// A pacer holds work back to a number of bytes a second, so that it leaves the
// disk to others. A rate that is not positive holds nothing back.
type pacer struct {
	rate  int64
	start time.Time
	done  int64
}

func newPacer(rate int64) *pacer { return &pacer{rate: rate, start: time.Now()} }

// add counts bytes, and waits if there were too many lately.
func (p *pacer) add(ctx context.Context, n int64) error {
	p.done += n
	if p.rate <= 0 {
		return ctx.Err()
	}
	const least = 20 * time.Millisecond
	due := time.Duration(float64(p.done) / float64(p.rate) * float64(time.Second))
	ahead := due - time.Since(p.start)
	if ahead < -time.Second { // what was not used up is not saved up
		p.start, p.done = time.Now(), 0
	}
	if ahead > least {
		return pause(ctx, ahead)
	}
	return ctx.Err()
}
