package bundle

import "errors"

var (
	// ErrNotRoot says that the program lacks the rights to run containers.
	ErrNotRoot = errors.New("running containers needs root")
	// ErrNoRuntime says that the OCI runtime is not installed.
	ErrNoRuntime = errors.New("no OCI runtime")
	// ErrBusy says that another Runtime uses the directory.
	ErrBusy = errors.New("directory is in use")
	// ErrExists says that a container of that ID exists already.
	ErrExists = errors.New("container exists")
	// ErrStarted says that a container was started before.
	ErrStarted = errors.New("container was started before")
	// ErrRemoved says that a container is gone.
	ErrRemoved = errors.New("container was removed")
	// ErrClosed says that the runtime was closed.
	ErrClosed = errors.New("runtime is closed")
)

// A StartError says why the runtime could not start a process.
type StartError struct {
	Reason string // the runtime's own words
}

// Error implements error.
func (e *StartError) Error() string { return "start container: " + e.Reason }
