package outputs

import "errors"

var (
	// ErrNotFound says that there is no such output, or none any more.
	ErrNotFound = errors.New("the output is not kept")
	// ErrName is returned for a name that no output can have.
	ErrName = errors.New("a name has small letters, digits and dashes only")
)
