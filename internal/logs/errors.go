package logs

import "errors"

var (
	// ErrName is returned for an app's name that cannot be one.
	ErrName = errors.New("an app's name has small letters, digits and dashes only")
	// ErrClosed is returned to who reads while the store closes.
	ErrClosed = errors.New("the log is closed: try again when the server is back")

	// errGone says that the app's log was removed.
	errGone = errors.New("the log was removed")
)
