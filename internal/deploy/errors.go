package deploy

import "slipway/internal/state"

// A refusal shows its own text, and is of a kind that callers know.
type refusal struct {
	text string
	kind error
}

func (r *refusal) Error() string { return r.text }
func (r *refusal) Unwrap() error { return r.kind }

var (
	// ErrNoSlug says that a release has nothing to run.
	ErrNoSlug error = &refusal{"it has no slug: git push makes one", state.ErrInvalid}
	// ErrCurrent says that a rollback would change nothing.
	ErrCurrent error = &refusal{"it is the current release already", state.ErrInvalid}
	// ErrSwept says that a release's image is gone.
	ErrSwept error = &refusal{"its image was removed to save disk (--keep-slugs): push its commit again", state.ErrInvalid}
	// ErrNoProcess says that the current release lacks a process type.
	ErrNoProcess error = &refusal{"Couldn't find that process type", state.ErrNotFound}
)
