package api

import (
	"net/http"
	"strings"
	"time"

	"slipway/internal/state"
	"slipway/internal/wire"
)

func (a *api) createApp(r *http.Request, by state.Actor) (int, any, error) {
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
	app, err := a.Apps.CreateApp(r.Context(), by, state.App{Name: req.Name, Owner: by.User, Created: stamp()})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, a.app(app), nil
}

func (a *api) listApps(r *http.Request, _ state.Actor) (int, any, error) {
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

func (a *api) showApp(r *http.Request, _ state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, a.app(app), nil
}

func (a *api) destroyApp(r *http.Request, by state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	if err := a.Destroy(r.Context(), by, app.Name); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, a.app(app), nil
}

func (a *api) updateApp(r *http.Request, by state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	var req wire.AppUpdate
	if err := read(r, &req); err != nil {
		return 0, nil, err
	}
	if req.IdleTimeout != nil {
		if app.Idle, err = parseIdle(*req.IdleTimeout); err != nil {
			return 0, nil, err
		}
		if err := a.Settings.SetIdle(r.Context(), by, app.Name, app.Idle); err != nil {
			return 0, nil, err
		}
		a.changed(app)
	}
	return http.StatusOK, a.app(app), nil
}

// find returns the app that a request is about.
func (a *api) find(r *http.Request) (state.App, error) {
	return a.Apps.App(r.Context(), r.PathValue("app"))
}

func (a *api) changed(app state.App) {
	if a.Changed != nil {
		a.Changed(app.Name)
	}
}

func (a *api) app(app state.App) wire.App {
	return wire.App{
		ID: app.ID, Name: app.Name, Owner: wire.Account{Email: app.Owner}, CreatedAt: app.Created,
		GitURL: a.GitURL(app.Name), WebURL: a.WebURL(app.Name), IdleTimeout: idleText(app.Idle),
	}
}

// The idle time-outs that are no durations.
const (
	idleDefault = "default"
	idleNever   = "never"
)

// maxIdle is the longest idle time-out; who wants more wants never.
const maxIdle = 365 * 24 * time.Hour

func parseIdle(text string) (time.Duration, error) {
	switch text {
	case idleDefault:
		return 0, nil
	case idleNever:
		return -1, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Second || d > maxIdle {
		return 0, invalid(`%.20q is no idle time-out: write a time such as "30m" (from "1s" to "8760h"), "never" or "default"`, text)
	}
	return d, nil
}

func idleText(d time.Duration) string {
	switch {
	case d == 0:
		return idleDefault
	case d < 0:
		return idleNever
	}
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}
