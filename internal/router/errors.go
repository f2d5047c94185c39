package router

import "errors"

// Why an app has no upstream for a request. The codes are Heroku's.
var (
	// ErrCrashed is H10.
	ErrCrashed = errors.New("app crashed")
	// ErrNoWeb is H14.
	ErrNoWeb = errors.New("no web processes running")
	// ErrBlank is H81.
	ErrBlank = errors.New("blank app")
	// ErrQuota is H82.
	ErrQuota = errors.New("free dyno hours quota exhausted")
	// ErrBacklog is H11: too many requests wait for this app already.
	ErrBacklog = errors.New("backlog too deep")
)

// A MaintenanceError is H80: the app is in maintenance mode.
type MaintenanceError struct {
	Page string // the address of what is shown in a frame; a page of ours if it is none
}

func (*MaintenanceError) Error() string { return "maintenance mode" }
