package dyno

import "errors"

var (
	// ErrNotFound says that the app has no such dyno, process type or slug.
	ErrNotFound = errors.New("not found")
	// ErrNoSlug says that nothing was pushed yet, so there is nothing to run.
	ErrNoSlug = errors.New("nothing was pushed to this app yet: git push first")
	// ErrQuota says that the account's dyno hours of this month are spent.
	ErrQuota = errors.New("the dyno hours of this month are spent")
	// ErrLimit says that too many one-off dynos run.
	ErrLimit = errors.New("too many one-off dynos run: stop one with slipway ps:stop")
	// ErrClosed says that the server is stopping.
	ErrClosed = errors.New("the server is stopping: try again when it is back")
)
