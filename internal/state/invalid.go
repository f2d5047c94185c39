package state

import "fmt"

// A wordsError is of a kind, and says all there is to say.
type wordsError struct {
	text string
	kind error
}

func (e *wordsError) Error() string { return e.text }

func (e *wordsError) Unwrap() error { return e.kind }

// Invalid makes an error that is [ErrInvalid], whose text says all.
func Invalid(format string, args ...any) error {
	return &wordsError{text: fmt.Sprintf(format, args...), kind: ErrInvalid}
}

// Forbidden makes an error that is [ErrForbidden], whose text says all.
func Forbidden(format string, args ...any) error {
	return &wordsError{text: fmt.Sprintf(format, args...), kind: ErrForbidden}
}

// NoAccess is an [ErrForbidden] that says how to be let in to an app.
func NoAccess(user, app string) error {
	return Forbidden("You do not have access to the app %s. Its owner can let you in: slipway access:add %s -a %s", app, user, app)
}

// CheckRoom returns nil if an app that has n of what ("domains") may have
// another where most is the limit, else [ErrInvalid].
func CheckRoom(what string, n, most int) error {
	if n < most {
		return nil
	}
	return Invalid("the app has %d %s, the most it can have: remove one first", n, what)
}
