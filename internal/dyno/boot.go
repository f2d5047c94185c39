package dyno

import (
	"context"
	"fmt"
	"math"
	"time"
)

const (
	// firstLook is how soon is looked again whether a web dyno has bound its
	// port; later, after an eighth of the time that has passed, up to
	// lastLook. So a request that wakes an app waits little longer than it
	// must, and a dyno that boots for long is not looked at all the time.
	firstLook = 2 * time.Millisecond
	lastLook  = 50 * time.Millisecond
	// lookTimeout bounds one look.
	lookTimeout = time.Second
)

// boot waits until a web dyno has bound its port. It returns how the dyno has
// ended if it did not.
func (s *slot) boot(c Container, exits <-chan Exit) (Exit, bool) {
	late := time.NewTimer(s.a.m.cfg.BootTimeout)
	defer late.Stop()
	began := time.Now()
	again := time.NewTimer(0)
	defer again.Stop()
	for {
		select {
		case exit := <-exits:
			return s.sayExit(exit), false
		case <-s.ctx.Done():
			return s.sayExit(s.a.m.terminate(s.ctx, c, exits, s.a.name, s.name)), false
		case <-late.C:
			s.say("Error R10 (Boot timeout) -> Web process failed to bind to $PORT within " + seconds(s.a.m.cfg.BootTimeout) + " of launch")
			return s.sayExit(s.a.m.kill(s.ctx, c, exits, s.a.name, s.name)), false
		case <-again.C:
			if listens(s.ctx, c) {
				return Exit{}, true
			}
			again.Reset(min(max(time.Since(began)/8, firstLook), lastLook))
		}
	}
}

// listens tells whether something in the container answers at PORT.
func listens(ctx context.Context, c Container) bool {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	conn, err := c.Dial(ctx, Port)
	if err != nil {
		return false
	}
	_ = conn.Close() // nothing was sent
	return true
}

// seconds is a duration in Heroku's words.
func seconds(d time.Duration) string {
	n := math.Round(d.Seconds()*10) / 10
	if n == 1 {
		return "1 second"
	}
	return fmt.Sprintf("%g seconds", n)
}
