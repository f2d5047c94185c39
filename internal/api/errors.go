package api

import (
	"errors"
	"fmt"
	"net/http"

	"go.uber.org/zap"

	"slipway/internal/dyno"
	"slipway/internal/state"
	"slipway/internal/wire"
)

var (
	errUnauthorized  = errors.New("invalid credentials: give a Slipway token, as Bearer or as the password of Basic")
	errInvalid       = errors.New("invalid parameters")
	errNoRoute       = errors.New("there is nothing at this address: repositories are at /APP.git, images at /v2/, the API's addresses are Heroku's")
	errUpgrade       = errors.New("this address is for a WebSocket: slipway run uses it")
	errMethod        = errors.New("this address does not take that method")
	errNotAcceptable = errors.New("not acceptable")
	errRange         = errors.New("range not satisfiable")
	errStopping      = errors.New("the server is stopping")
	errTooMany       = errors.New("too many")
	errUnsupported   = errors.New("not supported")
	errOrigin        = errors.New("a web page of another site may not use this address: open it from a program")
	errNotAdmitted   = errors.New("the request was not admitted to an app")
	errMissing       = errors.New("this server does not have what this address is for: ask whoever runs it for a newer one")
)

// A wordsError shows its text alone, and is of a kind that has a status.
type wordsError struct {
	text string
	kind error
}

func (e *wordsError) Error() string { return e.text }
func (e *wordsError) Unwrap() error { return e.kind }

// A resourceError says what kind of thing there is not, which some clients read.
type resourceError struct{ resource, text string }

func (e *resourceError) Error() string { return e.text }
func (e *resourceError) Unwrap() error { return state.ErrNotFound }

func invalid(format string, a ...any) error {
	return &wordsError{text: fmt.Sprintf(format, a...), kind: errInvalid}
}

// statuses are the errors that are shown as they are. The first that fits wins.
var statuses = []struct {
	err    error
	status int
	id     string
}{
	{errMissing, http.StatusNotImplemented, "not_implemented"},
	{errUpgrade, http.StatusUpgradeRequired, "upgrade_required"},
	{errMethod, http.StatusMethodNotAllowed, "method_not_allowed"},
	{errNotAcceptable, http.StatusNotAcceptable, "not_acceptable"},
	{errRange, http.StatusRequestedRangeNotSatisfiable, "requested_range_not_satisfiable"},
	{errUnsupported, http.StatusUnprocessableEntity, "unsupported"},
	{errOrigin, http.StatusForbidden, "forbidden"},
	{state.ErrNotFound, http.StatusNotFound, "not_found"},
	{dyno.ErrNotFound, http.StatusNotFound, "not_found"},
	{errNoRoute, http.StatusNotFound, "not_found"},
	{dyno.ErrQuota, http.StatusPaymentRequired, "quota_exceeded"},
	{errStopping, http.StatusServiceUnavailable, "unavailable"},
	{dyno.ErrClosed, http.StatusServiceUnavailable, "unavailable"},
	{errTooMany, http.StatusTooManyRequests, "rate_limit"},
	{state.ErrForbidden, http.StatusForbidden, "forbidden"},
	{state.ErrMoved, http.StatusConflict, "conflict"},
	{state.ErrTaken, http.StatusUnprocessableEntity, "invalid_params"},
	{state.ErrInvalid, http.StatusUnprocessableEntity, "invalid_params"},
	{state.ErrInvalidName, http.StatusUnprocessableEntity, "invalid_params"},
	{state.ErrReservedName, http.StatusUnprocessableEntity, "invalid_params"},
	{dyno.ErrNoSlug, http.StatusUnprocessableEntity, "invalid_params"},
	{dyno.ErrLimit, http.StatusUnprocessableEntity, "invalid_params"},
	{errInvalid, http.StatusUnprocessableEntity, "invalid_params"},
}

// fail is the one place where an error becomes a status, an id and words.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, body := a.explain(r, err)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="Slipway"`)
	}
	writeJSON(w, status, body)
}

// explain finds an error's status and words. What it does not know is logged.
func (a *api) explain(r *http.Request, err error) (int, wire.Error) {
	if errors.Is(err, errUnauthorized) {
		return http.StatusUnauthorized, wire.Error{ID: "unauthorized", Message: errUnauthorized.Error()}
	}
	if status, body, ok := shown(err); ok {
		return status, body
	}
	request := requestID(r)
	// The path is not logged: it may hold a drain's password or a session's token.
	a.log.Error("request failed", zap.String("request", request), zap.String("route", r.Pattern),
		zap.String("app", r.PathValue("app")), zap.Error(err))
	return http.StatusInternalServerError, wire.Error{
		ID: "internal_server_error", Message: "internal error, request " + request + ": the server's log says more",
	}
}

// shown finds the status and words of an error that is shown as it is.
func shown(err error) (int, wire.Error, bool) {
	for _, s := range statuses {
		if errors.Is(err, s.err) {
			body := wire.Error{ID: s.id, Message: err.Error()}
			if missing, ok := errors.AsType[*resourceError](err); ok {
				body.Resource = missing.resource
			}
			return s.status, body, true
		}
	}
	return 0, wire.Error{}, false
}
