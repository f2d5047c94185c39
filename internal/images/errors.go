package images

import (
	"fmt"

	cerrdefs "github.com/containerd/errdefs"
)

// The errors below are of containerd's kinds, which callers tell apart by
// cerrdefs.IsNotFound and the like.

func notFound(kind, name string) error {
	return fmt.Errorf("no such %s: %s: %w", kind, name, cerrdefs.ErrNotFound)
}

func conflict(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, cerrdefs.ErrConflict)...)
}

func invalid(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, cerrdefs.ErrInvalidArgument)...)
}
