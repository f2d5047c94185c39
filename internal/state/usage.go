package state

import (
	"regexp"
	"time"
)

// Usage is how long an app's dynos ran in a month. It outlives the app: what
// was used stays used.
type Usage struct {
	Account string // who is charged: the app's owner
	App     string // the app's ID
	Month   string // as [Month] says
	Seconds int64
}

// Month is the key under which dyno hours of a moment are counted: "2026-11".
func Month(at time.Time) string { return at.UTC().Format("2006-01") }

var month = regexp.MustCompile(`^\d{4}-\d{2}$`)

// CheckUsage returns nil for usage that can be counted, else [ErrInvalid].
func CheckUsage(u Usage) error {
	switch {
	case u.Account == "" || u.App == "":
		return Invalid("dyno hours are of an account and an app: give both")
	case !month.MatchString(u.Month):
		return Invalid("dyno hours in the month %.20q, want one such as 2026-11", u.Month)
	case u.Seconds < 0:
		return Invalid("dyno hours of %d seconds, want 0 or more", u.Seconds)
	}
	return nil
}
