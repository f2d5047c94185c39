package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"slipway/internal/state"
	"slipway/internal/wire"
)

func (a *api) createApp(r *http.Request, by state.Actor) (int, any, error) {
	var req wire.AppCreate
	if err := read(r, &req); err != nil {
		return 0, nil, err
	}
	if err := a.checkCreate(req); err != nil {
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
	return a.answerApp(r, http.StatusCreated, app)
}

// checkCreate refuses what Slipway does not do for an app.
func (a *api) checkCreate(req wire.AppCreate) error {
	for _, one := range []struct {
		name, words string
		given       any
	}{
		{"feature_flags", useConfig, req.FeatureFlags},
		{"internal_routing", useServer, req.InternalRouting},
		{"kernel", useConfig, req.Kernel},
		{"locked", useAccess, req.Locked},
		{"organization", useAccess, req.Organization},
		{"space", useServer, req.Space},
		{"team", useAccess, req.Team},
	} {
		if !asksNothing(one.given) {
			return invalid("%s: %s", one.name, one.words)
		}
	}
	if err := checkRegion(req.Region); err != nil {
		return err
	}
	return a.checkStack(req.Stack)
}

// asksNothing says that a value in JSON is as good as left out.
func asksNothing(given any) bool {
	list, isList := given.([]any)
	return given == nil || given == false || given == "" || (isList && len(list) == 0)
}

func (a *api) listApps(r *http.Request, by state.Actor) (int, any, error) {
	whose, err := a.whose(r, by)
	if err != nil {
		return 0, nil, err
	}
	return a.pageOfApps(r, whose)
}

// pageOfApps lists a user's apps, all if whose is "", as far as the request asks.
func (a *api) pageOfApps(r *http.Request, whose string) (int, any, error) {
	s, err := spanOf(r)
	if err != nil {
		return 0, nil, err
	}
	s.by = cmp.Or(s.by, "name")
	if s.by != "name" && s.by != "id" {
		all, err := a.Apps.AppsPage(r.Context(), whose, state.Page{})
		return http.StatusOK, a.apps(all), err
	}
	// Reading one more says whether there are more.
	apps, err := a.Apps.AppsPage(r.Context(), whose, state.Page{By: s.by, From: s.from, After: s.after, To: s.to, Desc: s.desc, Max: s.max + 1})
	if err != nil {
		return 0, nil, err
	}
	p := part{span: s, attributes: []string{"id", "name", "created_at", "updated_at"}, more: len(apps) > s.max}
	apps = apps[:min(len(apps), s.max)]
	if n := len(apps); n > 0 {
		p.first, p.last = apps[0].Name, apps[n-1].Name
		if s.by == "id" {
			p.first, p.last = apps[0].ID, apps[n-1].ID
		}
	}
	p.items = a.apps(apps)
	return http.StatusOK, p, nil
}

func (a *api) apps(all []state.App) []wire.App {
	out := make([]wire.App, 0, len(all))
	for _, app := range all {
		out = append(out, a.app(app))
	}
	return out
}

func (a *api) showApp(r *http.Request, _ state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	return a.answerApp(r, http.StatusOK, app)
}

func (a *api) destroyApp(r *http.Request, by state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	if err := a.mustOwn(r, by, app, "destroy it"); err != nil {
		return 0, nil, err
	}
	gone, err := a.wholeApp(r, app)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, gone, a.Destroy(r.Context(), by, app.Name)
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
	if err := a.checkUpdate(app, req); err != nil {
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
	if req.Maintenance != nil {
		if app, err = a.setMaintenance(r, by, app, *req.Maintenance); err != nil {
			return 0, nil, err
		}
	}
	if app, err = a.Apps.App(r.Context(), app.Name); err != nil {
		return 0, nil, err
	}
	return a.answerApp(r, http.StatusOK, app)
}

// checkUpdate refuses what never changes.
func (a *api) checkUpdate(app state.App, req wire.AppUpdate) error {
	if req.Name != nil && *req.Name != app.Name {
		return invalid("Slipway does not rename apps: make one with slipway create %.40q, push to it, and destroy %s", *req.Name, app.Name)
	}
	if req.BuildStack != nil {
		return a.checkStack(*req.BuildStack)
	}
	return nil
}

// find returns the app that a request is about, to which it was admitted.
func (a *api) find(r *http.Request) (state.App, error) {
	if app, ok := r.Context().Value(appKey{}).(state.App); ok {
		return app, nil
	}
	return state.App{}, fmt.Errorf("find app of %s: %w", r.Pattern, errNotAdmitted)
}

// lookUp finds an app by its name, or by its ID: no name is as long.
func (a *api) lookUp(ctx context.Context, nameOrID string) (app state.App, err error) {
	if id, badID := uuid.Parse(nameOrID); badID == nil {
		app, err = a.Apps.AppByID(ctx, id.String())
	} else {
		app, err = a.Apps.App(ctx, nameOrID)
	}
	if errors.Is(err, state.ErrNotFound) {
		err = &resourceError{resource: "app", text: "Couldn't find that app. See which there are with slipway apps"}
	}
	return app, err
}

func (a *api) changed(app state.App) {
	if a.Changed != nil {
		a.Changed(app.Name)
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
