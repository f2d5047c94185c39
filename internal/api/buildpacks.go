package api

import (
	"context"
	"net/http"

	"slipway/buildpacks"
	"slipway/internal/state"
	"slipway/internal/wire"
)

// Buildpacks is where the API keeps which buildpacks apps were set to use.
type Buildpacks interface {
	Buildpacks(ctx context.Context, app string) (state.Buildpacks, error)
	SetBuildpacks(ctx context.Context, by state.Actor, app string, names []string) error
}

// listBuildpacks lists those that the app was set to use, or, as on Heroku, the
// one that the newest build chose, if there is a build.
func (a *api) listBuildpacks(r *http.Request, _ state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	if a.Buildpacks != nil {
		set, err := a.Buildpacks.Buildpacks(r.Context(), app.Name)
		if err != nil || len(set.Names) > 0 {
			return http.StatusOK, installations(set.Names), err
		}
	}
	rel, err := a.current(r, app)
	if err != nil {
		return 0, nil, err
	}
	if rel.Slug != "" && rel.Language != "" {
		return http.StatusOK, installations([]string{"slipway/" + rel.Language}), nil
	}
	return http.StatusOK, installations(nil), nil
}

func installations(names []string) []wire.BuildpackInstallation {
	out := make([]wire.BuildpackInstallation, 0, len(names))
	for i, name := range names {
		out = append(out, wire.BuildpackInstallation{Ordinal: i, Buildpack: wire.Buildpack{Name: name, URL: name}})
	}
	return out
}

// setBuildpacks replaces the buildpacks of an app. They are used from the next
// build on.
func (a *api) setBuildpacks(r *http.Request, by state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	var req wire.BuildpackUpdates
	if err := read(r, &req); err != nil {
		return 0, nil, err
	}
	if req.Updates == nil {
		return 0, nil, invalid(`updates is missing: give the buildpacks as {"updates": [{"buildpack": "slipway/python"}]}, none to let the app's files decide`)
	}
	names := make([]string, 0, len(req.Updates))
	for _, u := range req.Updates {
		names = append(names, u.Buildpack)
	}
	if names, err = a.checkBuildpacks(names); err != nil {
		return 0, nil, err
	}
	if err := a.Buildpacks.SetBuildpacks(r.Context(), by, app.Name, names); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, installations(names), nil
}

// checkBuildpacks returns names as they are stored. Too many are refused before
// they are looked at.
func (a *api) checkBuildpacks(names []string) ([]string, error) {
	if len(names) > state.MaxBuildpacks {
		return nil, state.CheckBuildpacks(names)
	}
	if a.CheckBuildpacks == nil {
		return names, nil
	}
	return a.CheckBuildpacks(names)
}

// language is what a release's slug is written in, as people write it; nil if
// nobody knows.
func language(rel state.Release) *string {
	if rel.Language == "" {
		return nil
	}
	name := buildpacks.LanguageName(rel.Language)
	return &name
}
