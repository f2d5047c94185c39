package api

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"

	"go.uber.org/zap"

	"slipway/internal/dyno"
	"slipway/internal/state"
	"slipway/internal/wire"
)

var (
	errUnauthorized = errors.New("invalid credentials: give a Slipway token, as Bearer or as the password of Basic")
	errInvalid      = errors.New("invalid parameters")
	errNoRoute      = errors.New("there is no such address in this API")
	errUpgrade      = errors.New("this address is for a WebSocket: slipway run uses it")
	errMissing      = errors.New("this server does not have what this address is for: ask whoever runs it for a newer one")
)

// A wordsError shows its text alone, and is of a kind that has a status.
type wordsError struct {
	text string
	kind error
}

func (e *wordsError) Error() string { return e.text }
func (e *wordsError) Unwrap() error { return e.kind }

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
	{state.ErrNotFound, http.StatusNotFound, "not_found"},
	{dyno.ErrNotFound, http.StatusNotFound, "not_found"},
	{errNoRoute, http.StatusNotFound, "not_found"},
	{dyno.ErrQuota, http.StatusPaymentRequired, "quota_exceeded"},
	{dyno.ErrClosed, http.StatusServiceUnavailable, "unavailable"},
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
	for _, s := range statuses {
		if errors.Is(err, s.err) {
			return s.status, wire.Error{ID: s.id, Message: err.Error()}
		}
	}
	request := rand.Text()
	// The path is not logged: it may hold a drain's password or a session's token.
	a.log.Error("request failed", zap.String("request", request), zap.String("route", r.Pattern),
		zap.String("app", r.PathValue("app")), zap.Error(err))
	return http.StatusInternalServerError, wire.Error{
		ID: "internal_server_error", Message: "internal error, request " + request + ": the server's log says more",
	}
}
