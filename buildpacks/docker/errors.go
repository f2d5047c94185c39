package docker

import "errors"

// Errors that are told apart by errors.Is.
var (
	// ErrUnavailable is a daemon that does not answer.
	ErrUnavailable = errors.New("docker daemon does not answer")
	// ErrTooOld is a daemon older than 20.10.
	ErrTooOld = errors.New("docker daemon is older than 20.10")
	// ErrRemote is a daemon that runs elsewhere, or in a namespace that
	// cannot be reached from here.
	ErrRemote = errors.New("docker daemon runs on another machine")
	// ErrNotRoot is this process not being root.
	ErrNotRoot = errors.New("root is needed to make the builds' networks")
)
