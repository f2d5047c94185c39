package api

import (
	"crypto/rand"
	"errors"
	"net/http"

	"go.uber.org/zap"

	"slipway/internal/state"
	"slipway/internal/wire"
)

var (
	errUnauthorized = errors.New("invalid credentials: give a Slipway token, as Bearer or as the password of Basic")
	errInvalid      = errors.New("invalid parameters")
	errNoRoute      = errors.New("there is no such address in this API")
)

// fail is the one place where an error becomes a status, an id and words.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, id, message := http.StatusInternalServerError, "internal_server_error", ""
	switch {
	case errors.Is(err, errUnauthorized):
		status, id, message = http.StatusUnauthorized, "unauthorized", errUnauthorized.Error()
		w.Header().Set("WWW-Authenticate", `Basic realm="Slipway"`)
	case errors.Is(err, state.ErrNotFound), errors.Is(err, errNoRoute):
		status, id, message = http.StatusNotFound, "not_found", err.Error()
	case errors.Is(err, state.ErrTaken), errors.Is(err, state.ErrInvalidName),
		errors.Is(err, state.ErrReservedName), errors.Is(err, state.ErrInvalid), errors.Is(err, errInvalid):
		status, id, message = http.StatusUnprocessableEntity, "invalid_params", err.Error()
	default:
		request := rand.Text()
		message = "internal error, request " + request + ": the server's log says more"
		a.log.Error("request failed", zap.String("request", request), zap.String("path", r.URL.Path), zap.Error(err))
	}
	writeJSON(w, status, wire.Error{ID: id, Message: message})
}
