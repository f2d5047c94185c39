package build

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Errors that are told apart by errors.Is.
var (
	// ErrCanceled is a build that its caller ended.
	ErrCanceled = errors.New("build canceled")
	// ErrTimeout is a build that ran longer than Config.Timeout.
	ErrTimeout = errors.New("build timed out")
	// ErrDisk is a build that took more than Config.Disk or Config.DiskFiles.
	ErrDisk = errors.New("build used too much disk")
	// ErrRefused is a request that this server's settings do not permit.
	ErrRefused = errors.New("build refused")
	// ErrSource is a source tree that cannot be built as it is.
	ErrSource = errors.New("source refused")
	// ErrNoBundled is a bundled builder that has not been made.
	ErrNoBundled = errors.New("bundled builder not found")
)

// An Error is a build that failed in a phase of the lifecycle, or was refused.
type Error struct {
	// Code is the exit code of the lifecycle; 0 if it did not get that far.
	Code int
	// Phase is the lifecycle's word for where it failed: "DETECTING",
	// "BUILDING", …; "" before the first.
	Phase string
	// UserFault says that the app's files or settings are to blame, not
	// this server.
	UserFault bool
	// OutOfMemory says that the memory limit was hit.
	OutOfMemory bool
	// Text is for the person who pushed: one or more lines.
	Text string
	// Err is the cause, if there is more to know.
	Err error
}

// Error is the text on one line, with the exit code.
func (e *Error) Error() string {
	s := strings.ReplaceAll(e.Text, "\n", " ")
	if e.Code != 0 {
		s += " (exit code " + strconv.Itoa(e.Code) + ")"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func refuse(cause error, format string, args ...any) *Error {
	return &Error{UserFault: true, Text: fmt.Sprintf(format, args...), Err: cause}
}
