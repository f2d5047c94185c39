package logs

import "time"

// MaxLine is how long one line may be, in bytes; longer ones are split.
const MaxLine = 10_000

// What a line's source is.
const (
	SourceApp     = "app"
	SourceSlipway = "slipway"
)

// A Line is one line of an app's log. Where Heroku says "heroku", the source is
// "slipway".
type Line struct {
	At     time.Time
	Source string // "app" for the app's own output, else "slipway"
	Dyno   string // "web.1", "run.1234"; "router", "api", "build", "release"
	Text   string // without the line's end
}

// String is the line as "slipway logs" shows it:
// 2026-11-25T01:02:03.456789+00:00 app[web.1]: text.
func (l Line) String() string {
	return l.At.UTC().Format("2006-01-02T15:04:05.000000-07:00") + " " + l.Source + "[" + l.Dyno + "]: " + l.Text
}
