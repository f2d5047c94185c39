package workbench

import "errors"

// Errors that callers tell apart.
var (
	// ErrNoCases says that a tree has no expectations.
	ErrNoCases = errors.New("no expectations")
	// ErrUnstable says that detection answers differently when asked again.
	ErrUnstable = errors.New("detection answers differently when asked again")
)

var errNoDirectory = errors.New("it is not a directory")
