package embedded

import (
	"errors"
	"fmt"

	cerrdefs "github.com/containerd/errdefs"

	"slipway/internal/bundle"
)

var (
	// ErrNotRoot says that the engine cannot run containers for this user.
	ErrNotRoot = errors.New("the embedded engine needs root: start the server with sudo, or install Docker and use --engine docker")
	// ErrBusy says that another engine uses the directory.
	ErrBusy = errors.New("another server uses this engine directory")
)

// explain adds what to do about errors that a user can do something about.
func explain(err error) error {
	switch {
	case errors.Is(err, bundle.ErrNotRoot):
		return ErrNotRoot
	case errors.Is(err, bundle.ErrBusy):
		return fmt.Errorf("%w: %w", ErrBusy, err)
	case errors.Is(err, bundle.ErrNoRuntime):
		return fmt.Errorf("%w: install runc (apt-get install runc), or use --engine docker", err)
	}
	return err
}

// The errors below are of the kinds that pack tells apart.

func notFound(kind, name string) error {
	return fmt.Errorf("no such %s: %s: %w", kind, name, cerrdefs.ErrNotFound)
}

func conflict(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, cerrdefs.ErrConflict)...)
}

func invalid(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, cerrdefs.ErrInvalidArgument)...)
}
