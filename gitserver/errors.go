package gitserver

import "errors"

var (
	// ErrUnauthorized is what an [Authorizer] returns for a token or a key that
	// it does not know.
	ErrUnauthorized = errors.New("unknown token or key")
	// ErrNotFound is what an [Authorizer] returns for a repository that does not
	// exist, or whose existence the user must not learn.
	ErrNotFound = errors.New("repository not found")
	// ErrForbidden is what an [Authorizer] returns for a repository that the
	// user may not read or write.
	ErrForbidden = errors.New("access denied")
	// ErrName is returned for a repository name that breaks the rules of
	// [ValidName].
	ErrName = errors.New("invalid repository name")
	// ErrBusy is returned where too many pushes wait for one repository.
	ErrBusy = errors.New("too many pushes are waiting")
	// ErrConflict is returned by [Server.FinishRef] for a ref that is at neither
	// of the two expected objects.
	ErrConflict = errors.New("ref is somewhere else")
)

// A UserError carries words that may be shown to the person at the other end.
// An [Authorizer] returns one to explain a refusal; any other error that this
// package does not know is shown as an internal error and logged.
type UserError struct {
	Text string // what the user reads; it ends with what to do next
	Err  error  // the cause, for errors.Is; may be nil
}

// Error returns the text.
func (e *UserError) Error() string { return e.Text }

// Unwrap returns the cause.
func (e *UserError) Unwrap() error { return e.Err }

// A RejectError is an error of a [Receiver] that chooses what git prints behind
// "! [remote rejected]".
type RejectError struct {
	Text    string            // shown before the report; nothing if empty
	Reason  string            // for every ref that Reasons does not name; "pre-receive hook declined" if empty
	Reasons map[string]string // by full ref name; may be nil
	Err     error             // the cause, for errors.Is; may be nil
}

// Error returns the text, or the reason where there is none.
func (e *RejectError) Error() string {
	if e.Text != "" {
		return e.Text
	}
	return e.reason("")
}

// Unwrap returns the cause.
func (e *RejectError) Unwrap() error { return e.Err }

func (e *RejectError) reason(ref string) string {
	if r := e.Reasons[ref]; r != "" {
		return r
	}
	if e.Reason != "" {
		return e.Reason
	}
	return reasonDeclined
}
