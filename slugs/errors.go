package slugs

import "errors"

var (
	// ErrNotFound says that the registry has no such image, tag or repository.
	ErrNotFound = errors.New("no such image")
	// ErrUnauthorized says that the token is missing, wrong or revoked.
	ErrUnauthorized = errors.New("sign in first: any user name, a Slipway token as the password")
	// ErrForbidden says that the token is good, but not for this.
	ErrForbidden = errors.New("this token may not do that")
	// ErrReleased says that a request would replace or delete a release's image.
	ErrReleased = errors.New("releases are immutable: their images are replaced or deleted by nobody but Slipway")
	// ErrBusy says that a push or a build keeps the registry from being swept.
	ErrBusy = errors.New("the registry is being written to")
)
