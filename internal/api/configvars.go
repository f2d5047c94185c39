package api

import (
	"net/http"

	"slipway/internal/state"
)

func (a *api) showConfig(r *http.Request, _ state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	rel, err := a.current(r, app)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, configVars(rel), nil
}

func (a *api) showReleaseConfig(r *http.Request, _ state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	rel, err := a.findRelease(r, app)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, configVars(rel), nil
}

func (a *api) setConfig(r *http.Request, by state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	var changes map[string]*string
	if err := read(r, &changes); err != nil {
		return 0, nil, err
	}
	if len(changes) == 0 {
		return 0, nil, invalid(`there is nothing to change: send {"NAME": "value"}, or null to remove one`)
	}
	// All of them together are checked where the release is made; this says early
	// that a change cannot stand whatever the rest is.
	set := make(map[string]string, len(changes))
	for name, value := range changes {
		if value != nil {
			set[name] = *value
		}
	}
	if err := state.CheckConfig(set); err != nil {
		return 0, nil, err
	}
	rel, err := a.Deploys.SetConfig(r.Context(), by, app.Name, changes)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, configVars(rel), nil
}

func configVars(rel state.Release) map[string]string {
	if rel.Config == nil {
		return map[string]string{}
	}
	return rel.Config
}
