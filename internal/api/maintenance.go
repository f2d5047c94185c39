package api

import (
	"net/http"

	"slipway/internal/state"
)

// setMaintenance turns maintenance mode on or off, where it is not so already.
func (a *api) setMaintenance(r *http.Request, by state.Actor, app state.App, on bool) (state.App, error) {
	if a.Deploys == nil {
		return app, errMissing
	}
	if app.Maintenance == on {
		return app, nil
	}
	if err := a.Deploys.SetMaintenance(r.Context(), by, app.Name, on); err != nil {
		return app, err
	}
	return a.Apps.App(r.Context(), app.Name) // it was updated just now
}
