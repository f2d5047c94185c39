package state

import (
	"slices"
	"time"
)

// A Build is one run of pack over a commit.
type Build struct {
	ID      string
	App     string // the app's name
	Commit  string // hex
	Ref     string // the reference that was pushed; "" if none was
	Status  string // BuildPending, BuildSucceeded, BuildFailed
	User    string // who
	Slug    string // the image's manifest digest; "" unless it succeeded
	Release int    // the version that it became; 0 for none
	Created time.Time
	Updated time.Time // when it ended, once it has
	Source  string    // "git", or a tarball's address without secrets
}

// What a build's status can be.
const (
	BuildPending   = "pending"
	BuildSucceeded = "succeeded"
	BuildFailed    = "failed"
)

// CheckBuildEnd returns nil for a status with which a build can end, else
// [ErrInvalid].
func CheckBuildEnd(status string) error {
	if !slices.Contains([]string{BuildSucceeded, BuildFailed}, status) {
		return Invalid("a build ends as %s or %s, not as %.20q", BuildSucceeded, BuildFailed, status)
	}
	return nil
}
