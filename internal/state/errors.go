package state

import "errors"

var (
	// ErrNotFound says that there is no such app, release or key.
	ErrNotFound = errors.New("not found")
	// ErrTaken says that the name, key or number is in use.
	ErrTaken = errors.New("already taken")
	// ErrInvalidName says that an app cannot have this name.
	ErrInvalidName = errors.New("an app's name has 3 to 30 characters: lower-case letters, digits and dashes; it starts with a letter and does not end with a dash")
	// ErrReservedName says that the server itself uses the name.
	ErrReservedName = errors.New("the server uses this name itself: choose another")
	// ErrMoved says that the app got another release meanwhile.
	ErrMoved = errors.New("the app has a newer release")
	// ErrInvalid says that a value breaks a rule; the error that wraps it says which, and what to do.
	ErrInvalid = errors.New("not valid")
	// ErrForbidden says that the user may not do that; the error that wraps it says what.
	ErrForbidden = errors.New("not allowed")
	// ErrWrongKey says that a secret cannot be read.
	ErrWrongKey = errors.New("the secrets were sealed with another key, or are damaged: start the server with the key they were stored with")
)
