package state

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Buildpacks are those that an app was set to use, instead of those that its
// files ask for.
type Buildpacks struct {
	Names []string  // in their order; none if its files decide
	Set   time.Time // when that was said last; zero if never
}

const (
	// MaxBuildpacks is the most buildpacks of an app.
	MaxBuildpacks = 20
	// maxBuildpackName is the most bytes of the name of one.
	maxBuildpackName = 1024
)

// CheckBuildpacks returns nil for names that an app may have, else [ErrInvalid].
// Whether there are such buildpacks it does not know.
func CheckBuildpacks(names []string) error {
	if len(names) > MaxBuildpacks {
		return Invalid("%d buildpacks, want at most %d: leave out those that the app does not need", len(names), MaxBuildpacks)
	}
	for _, name := range names {
		if name == "" || len(name) > maxBuildpackName || !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
			return Invalid("the buildpack %.80q is not named by a text of 1 to %d bytes: write an id, a folder or an address", name, maxBuildpackName)
		}
	}
	return nil
}
