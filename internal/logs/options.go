package logs

import "strings"

// MaxNum is how many past lines a reader is given at most.
const MaxNum = 1500

// Options say which lines of an app's log to read.
type Options struct {
	Num    int    // past lines, the newest that match; none if zero, MaxNum at most
	Source string // "app" or "slipway"; any if empty
	Dyno   string // "web.1", or "web" for all of its dynos; any if empty
	Follow bool   // whether to go on with new lines as they come
}

func (o Options) num() int { return min(max(o.Num, 0), MaxNum) }

func (o Options) match(source, dyno []byte) bool {
	if o.Source != "" && o.Source != string(source) {
		return false
	}
	if o.Dyno == "" || o.Dyno == string(dyno) {
		return true
	}
	rest, found := strings.CutPrefix(string(dyno), o.Dyno)
	return found && rest[0] == '.'
}
