package state

import "fmt"

// An invalidError is an [ErrInvalid] that says all there is to say.
type invalidError struct{ text string }

func (e *invalidError) Error() string { return e.text }

func (e *invalidError) Unwrap() error { return ErrInvalid }

// Invalid makes an error that is [ErrInvalid], whose text says all.
func Invalid(format string, args ...any) error {
	return &invalidError{text: fmt.Sprintf(format, args...)}
}

// CheckRoom returns nil if an app that has n of what ("domains") may have
// another where most is the limit, else [ErrInvalid].
func CheckRoom(what string, n, most int) error {
	if n < most {
		return nil
	}
	return Invalid("the app has %d %s, the most it can have: remove one first", n, what)
}
