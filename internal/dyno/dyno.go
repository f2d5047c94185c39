package dyno

import (
	"io"
	"time"
)

// A State is what a dyno is doing. The words are Heroku's.
type State string

// The states of a dyno.
const (
	Created  State = "created" // a one-off that nobody has attached to yet
	Starting State = "starting"
	Up       State = "up"
	Idle     State = "idle"    // asleep until the next request
	Crashed  State = "crashed" // it will be started again after a while
	Down     State = "down"    // ended, or being stopped
)

// A Dyno is one process of a release, as others see it.
type Dyno struct {
	ID      string
	App     string
	Name    string // "web.1", "run.4242"
	Type    string // "web"; "run" for a one-off
	Command string
	State   State
	Since   time.Time // when it came into State
	Release int       // version
	Exit    *Exit     // how it ended last; nil if it never did
	Retry   time.Time // when a crashed dyno is started again; zero if it is not
}

// A OneOff is a dyno that runs one command and ends.
type OneOff struct {
	Command string            // for the launcher's shell
	Env     map[string]string // on top of the config vars
	TTY     bool
	Size    Size // of the terminal
	// Attach holds the dyno back until somebody attaches to it, for a minute
	// at most. Else it starts at once and its output goes to the app's log.
	Attach bool
}

// A Terminal is the other end of an attached one-off dyno.
type Terminal struct {
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer // not used with a TTY
	Resize <-chan Size
}

// A Quota is how many dyno hours an account may use a month.
type Quota struct {
	Limit time.Duration // 0 for none
	Used  time.Duration // this month, by all apps of the account
	App   time.Duration // this month, by this app
}
