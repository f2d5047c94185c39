package api

import (
	"net/http"

	"slipway/internal/state"
	"slipway/internal/wire"
)

func (a *api) listDrains(r *http.Request, _ state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	all, err := a.Drains.Drains(r.Context(), app.Name)
	if err != nil {
		return 0, nil, err
	}
	out := make([]wire.Drain, 0, len(all))
	for _, d := range all {
		out = append(out, wireDrain(app, d))
	}
	return http.StatusOK, out, nil
}

func (a *api) addDrain(r *http.Request, by state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	var req wire.DrainCreate
	if err := read(r, &req); err != nil {
		return 0, nil, err
	}
	if req.URL == "" {
		return 0, nil, invalid(`there is no address to send to: give it as "url", syslog://HOST:PORT say`)
	}
	d, err := a.Drains.AddDrain(r.Context(), by, state.Drain{App: app.Name, URL: req.URL, Created: stamp()})
	if err != nil {
		return 0, nil, err
	}
	a.changed(app)
	return http.StatusCreated, wireDrain(app, d), nil
}

func (a *api) showDrain(r *http.Request, _ state.Actor) (int, any, error) {
	app, d, err := a.findDrain(r)
	return http.StatusOK, wireDrain(app, d), err
}

func (a *api) removeDrain(r *http.Request, by state.Actor) (int, any, error) {
	app, d, err := a.findDrain(r)
	if err != nil {
		return 0, nil, err
	}
	if err := a.Drains.DeleteDrain(r.Context(), by, app.Name, d.ID); err != nil {
		return 0, nil, err
	}
	a.changed(app)
	return http.StatusOK, wireDrain(app, d), nil
}

// findDrain finds a drain by ID, token or address.
func (a *api) findDrain(r *http.Request) (state.App, state.Drain, error) {
	app, err := a.find(r)
	if err != nil {
		return app, state.Drain{}, err
	}
	all, err := a.Drains.Drains(r.Context(), app.Name)
	if err != nil {
		return app, state.Drain{}, err
	}
	given := r.PathValue("drain")
	for _, d := range all {
		if d.ID == given || d.URL == given || d.Token == given {
			return app, d, nil
		}
	}
	// The address may hold a password: it is not said again.
	return app, state.Drain{}, &wordsError{text: "the app has no such drain: GET its log-drains lists them", kind: state.ErrNotFound}
}

func wireDrain(app state.App, d state.Drain) wire.Drain {
	return wire.Drain{ID: d.ID, App: refTo(app), URL: d.URL, Token: d.Token, CreatedAt: d.Created, UpdatedAt: d.Created}
}
