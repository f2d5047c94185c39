package gitserver

import (
	"fmt"
	"io"
	"time"

	"slipway/gitserver/repo"
)

// progressEvery is how often a fetching client hears how far we are.
const progressEvery = 300 * time.Millisecond

// A fetchProgress tells a client how the search for objects goes on, in the
// words of git's own pack-objects. How many of them have arrived it sees itself.
type fetchProgress struct {
	out     io.Writer
	last    time.Time
	counted bool
}

func (p *fetchProgress) show(at repo.Progress) {
	switch {
	case at.Stage == repo.StageCounting && time.Since(p.last) >= progressEvery:
		p.last = time.Now()
		p.say("Counting objects: %d\r", at.Done)
	case at.Stage == repo.StageWriting && !p.counted:
		p.counted = true
		p.say("Counting objects: %d, done.\n", at.Total)
	}
}

func (p *fetchProgress) say(format string, n int) {
	_, _ = fmt.Fprintf(p.out, format, n) // a client that is gone is noticed by the pack's writer
}
