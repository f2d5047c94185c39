package sources

import (
	"errors"
	"fmt"
)

var (
	// ErrNotFound says that a token is of no place, or of one that has expired.
	ErrNotFound = errors.New("there is no such source, or no more: each is kept for an hour")
	// ErrEmpty says that nothing was uploaded yet.
	ErrEmpty = errors.New("nothing was uploaded to this source: PUT a gzipped tarball to its put_url first")
	// ErrTooLarge says that an upload is larger than what is built.
	ErrTooLarge = errors.New("the source is larger than this server takes (--max-source): leave out what the app does not need")
	// ErrFull says that other uploads take all the room.
	ErrFull = errors.New("too many sources were uploaded and not built: try again in an hour")
)

// An Error says in words why a source cannot be built.
type Error struct{ Text string }

// Error is the words.
func (e *Error) Error() string { return e.Text }

func refuse(format string, a ...any) error { return &Error{Text: fmt.Sprintf(format, a...)} }
