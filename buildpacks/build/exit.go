package build

import (
	"errors"
	"fmt"
	"strings"
)

// An exitError is a container that ended with a code other than 0.
type exitError struct {
	code        int
	outOfMemory bool
	program     string // of the lifecycle: "creator", "builder", …
}

func (e *exitError) Error() string {
	return fmt.Sprintf("%s exited with status %d", e.program, e.code)
}

// The lifecycle's exit codes (platform specification, "Outputs").
const (
	codeNotDetected  = 20
	codeDetectFailed = 21
	codeBuildFailed  = 51
)

// failure turns what ended a build into an Error in words.
func failure(err error, phase string, said []string, memory int64) *Error {
	e := &Error{Phase: phase, Err: err}
	var exit *exitError
	if !errors.As(err, &exit) {
		e.Text = "The build could not be run on this server." // pack or the engine failed
		return e
	}
	e.Code, e.OutOfMemory = exit.code, exit.outOfMemory
	if len(said) > 0 {
		e.Err = fmt.Errorf("%w: %s", err, strings.Join(said, "; "))
	}
	switch {
	case exit.outOfMemory:
		e.UserFault = true
		e.Text = "The build ran out of memory."
		if memory > 0 {
			e.Text = fmt.Sprintf("The build ran out of memory: it may use %d MB.", memory>>20)
		}
	case exit.code == codeNotDetected:
		e.UserFault = true
		e.Text = "No buildpack of the builder recognised this app."
	case exit.code == codeDetectFailed:
		e.UserFault = true
		e.Text = "No buildpack of the builder recognised this app, and at least one of them failed to look."
	case exit.code == codeBuildFailed:
		e.UserFault = true
		e.Text = "A buildpack failed to build this app."
	case exit.code == 137 || exit.code == 143:
		e.Text = "The build was killed."
	default:
		e.Text = codeText(exit.code)
	}
	return e
}

// codeTexts name the codes that are this server's or the builder's fault. The
// platform specification gives each phase ten or twenty of them.
var codeTexts = []struct {
	from, to int
	text     string
}{
	{11, 12, "The builder and this server do not speak the same version of the buildpack interface."},
	{20, 29, "Detection could not be run."},
	{30, 39, "The previous image could not be read."},
	{40, 49, "The app's build cache could not be restored."},
	{50, 59, "The buildpacks could not be run."},
	{60, 69, "The image could not be saved."},
	{90, 99, "An image extension of the builder failed."},
}

func codeText(code int) string {
	for _, c := range codeTexts {
		if code >= c.from && code <= c.to {
			return c.text
		}
	}
	return "The build ended unexpectedly."
}
