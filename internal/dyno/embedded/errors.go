package embedded

import (
	"errors"
	"fmt"

	"slipway/internal/bundle"
)

var (
	// ErrNotRoot says that dynos cannot be run for this user.
	ErrNotRoot = errors.New("running dynos needs root: start the server with sudo")
	// ErrBusy says that another server uses the directory.
	ErrBusy = errors.New("another server runs dynos in this directory: stop it, or give this one another --data")
	// ErrNoInit says that the init of dynos is not installed.
	ErrNoInit = errors.New("no init program: install tini (apt-get install tini)")
)

// explain adds what to do about errors that an operator can do something about.
func explain(err error) error {
	switch {
	case errors.Is(err, bundle.ErrNotRoot):
		return ErrNotRoot
	case errors.Is(err, bundle.ErrBusy):
		return fmt.Errorf("%w: %w", ErrBusy, err)
	case errors.Is(err, bundle.ErrNoRuntime):
		return fmt.Errorf("%w: install runc (apt-get install runc)", err)
	}
	return err
}
