package api

import (
	"net/http"

	"slipway/internal/state"
	"slipway/internal/wire"
)

func (a *api) createApp(r *http.Request, user string) (int, any, error) {
	var req wire.AppCreate
	if err := read(r, &req); err != nil {
		return 0, nil, err
	}
	if req.Name == "" {
		name, err := state.RandomName()
		if err != nil {
			return 0, nil, err
		}
		req.Name = name
	}
	app, err := a.Apps.CreateApp(r.Context(), actor(r, user), state.App{Name: req.Name, Owner: user, Created: stamp()})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, a.app(app), nil
}

func (a *api) listApps(r *http.Request, _ string) (int, any, error) {
	apps, err := a.Apps.Apps(r.Context())
	if err != nil {
		return 0, nil, err
	}
	out := make([]wire.App, 0, len(apps))
	for _, app := range apps {
		out = append(out, a.app(app))
	}
	return http.StatusOK, out, nil
}

func (a *api) showApp(r *http.Request, _ string) (int, any, error) {
	app, err := a.Apps.App(r.Context(), r.PathValue("app"))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, a.app(app), nil
}

func (a *api) destroyApp(r *http.Request, user string) (int, any, error) {
	app, err := a.Apps.App(r.Context(), r.PathValue("app"))
	if err != nil {
		return 0, nil, err
	}
	if err := a.Destroy(r.Context(), actor(r, user), app.Name); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, a.app(app), nil
}

func (a *api) app(app state.App) wire.App {
	return wire.App{
		ID: app.ID, Name: app.Name, Owner: wire.Account{Email: app.Owner}, CreatedAt: app.Created,
		GitURL: a.GitURL(app.Name), WebURL: a.WebURL(app.Name),
	}
}
