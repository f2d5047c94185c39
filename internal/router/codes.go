package router

import (
	"context"
	"errors"
	"net/http"
)

// A failure is why a request did not end well, in Heroku's words. They are
// compared by address.
type failure struct {
	code   string // "H12", for the log line; none for what no app is told of
	desc   string
	level  string // "error" if empty
	sock   string // which side broke off: "client", "backend" or neither
	status int
	page   page
	after  string // Retry-After, if trying again makes sense
}

// statusClientGone is nginx's, and Heroku's, for a client that went away.
const statusClientGone = 499

var (
	failCrashed = &failure{code: "H10", desc: "App crashed", status: http.StatusServiceUnavailable, page: pageCrashed}
	failBacklog = &failure{code: "H11", desc: "Backlog too deep", status: http.StatusServiceUnavailable, page: pageBusy, after: "5"}
	failSlow    = &failure{code: "H12", desc: "Request timeout", status: http.StatusServiceUnavailable, page: pageError}
	failSilent  = &failure{
		code: "H13", desc: "Connection closed without response", status: http.StatusServiceUnavailable, page: pageError,
	}
	failNoWeb  = &failure{code: "H14", desc: "No web processes running", status: http.StatusServiceUnavailable, page: pageNoWeb}
	failIdle   = &failure{code: "H15", desc: "Idle connection", status: http.StatusServiceUnavailable, page: pageError}
	failAnswer = &failure{code: "H17", desc: "Poorly formatted HTTP response", status: http.StatusServiceUnavailable, page: pageError}
	failBroken = &failure{
		code: "H18", desc: "Server Request Interrupted", sock: "backend", status: http.StatusServiceUnavailable, page: pageError,
	}
	failLeft = &failure{code: "H18", desc: "Server Request Interrupted", sock: "client", status: statusClientGone}
	failDial = &failure{code: "H19", desc: "Backend connection timeout", status: http.StatusServiceUnavailable, page: pageError}
	failBoot = &failure{code: "H20", desc: "App boot timeout", status: http.StatusServiceUnavailable, page: pageBoot, after: "10"}

	failRefused = &failure{code: "H21", desc: "Backend connection refused", status: http.StatusServiceUnavailable, page: pageError, after: "5"}

	failMethod = &failure{code: "H26", desc: "Request Error", status: http.StatusMethodNotAllowed, page: pageRequest}
	failURL    = &failure{code: "H26", desc: "Request Error", status: http.StatusRequestURITooLong, page: pageRequest}
	failHeader = &failure{code: "H26", desc: "Request Error", status: http.StatusRequestHeaderFieldsTooLarge, page: pageRequest}
	failBody   = &failure{code: "H26", desc: "Request Error", status: http.StatusBadRequest, page: pageRequest}

	failGone   = &failure{code: "H27", desc: "Client Request Interrupted", level: "warning", status: statusClientGone}
	failLoiter = &failure{code: "H28", desc: "Client Connection Idle", level: "warning", status: statusClientGone}

	failMaintenance = &failure{code: "H80", desc: "Maintenance mode", level: "info", status: http.StatusServiceUnavailable, page: pageMaintenance}

	failBlank = &failure{code: "H81", desc: "Blank app", level: "info", status: http.StatusBadGateway, page: pageBlank}
	failQuota = &failure{code: "H82", desc: "Free dyno hours quota exhausted", level: "info", status: http.StatusServiceUnavailable, page: pageQuota}
	failOurs  = &failure{code: "H99", desc: "Platform error", status: http.StatusServiceUnavailable, page: pageOurs, after: "10"}

	failUnknown = &failure{status: http.StatusNotFound, page: pageUnknown}
)

// choosing tells what the error of Apps.Upstream means. asked is the request's
// own context, without the time that it may wait.
func choosing(asked context.Context, err error) *failure {
	switch {
	case asked.Err() != nil:
		return failGone
	case errors.Is(err, context.DeadlineExceeded):
		return failBoot
	}
	if down := (*MaintenanceError)(nil); errors.As(err, &down) {
		return failMaintenance
	}
	for _, known := range []struct {
		err  error
		fail *failure
	}{
		{ErrCrashed, failCrashed},
		{ErrNoWeb, failNoWeb},
		{ErrBlank, failBlank},
		{ErrQuota, failQuota},
		{ErrBacklog, failBacklog},
	} {
		if errors.Is(err, known.err) {
			return known.fail
		}
	}
	return failOurs
}
