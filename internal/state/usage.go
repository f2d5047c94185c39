package state

import "time"

// Month is the key under which dyno hours of a moment are counted: "2026-11".
func Month(at time.Time) string { return at.UTC().Format("2006-01") }
