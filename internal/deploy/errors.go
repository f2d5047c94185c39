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
	// ErrBuildEnded says that a build cannot be cancelled any more.
	ErrBuildEnded = state.Invalid("it has ended, or is being released, and cannot be cancelled: slipway rollback goes back to the release before")
	// ErrBuilding says that a build has what is to be changed.
	ErrBuilding = state.Invalid("a build of the app goes on: wait for its end, or cancel it with slipway builds:cancel")
	// ErrTooManyBuilds says that too many builds of tarballs wait.
	ErrTooManyBuilds = errors.New("too many builds wait: try again when some have ended")
	// ErrStopping says that no build begins, since the server stops.
	ErrStopping = errors.New("the server is stopping: try again when it is back")
	// ErrNoProcess says that the current release lacks a process type.
	ErrNoProcess = errors.New("Couldn't find that process type") //nolint:staticcheck // Heroku's words
)
