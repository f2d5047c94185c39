package deploy

import (
	"errors"

	"slipway/internal/state"
)

var (
	// ErrNoSlug says that a release has nothing to run.
	ErrNoSlug = state.Invalid("it has no slug: git push makes one")
	// ErrCurrent says that a rollback would change nothing.
	ErrCurrent = state.Invalid("it is the current release already")
	// ErrSwept says that a release's image is gone.
	ErrSwept = state.Invalid("its image was removed to save disk (--keep-slugs): push its commit again")
	// ErrNoProcess says that the current release lacks a process type.
	ErrNoProcess = errors.New("Couldn't find that process type") //nolint:staticcheck // Heroku's words
)
