package api

import (
	"net/http"

	"slipway/internal/state"
)

// keepACM answers who turns automatic certificates on, or asks for new ones,
// where they come by themselves: it is so already. Otherwise it is refused, and
// so is turning them off.
func (a *api) keepACM(r *http.Request, _ state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	return a.answerApp(r, http.StatusOK, app)
}
