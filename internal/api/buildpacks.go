package api

import (
	"net/http"

	"slipway/buildpacks"
	"slipway/internal/state"
	"slipway/internal/wire"
)

// listBuildpacks lists the buildpack that the newest build chose, if there is a
// build.
func (a *api) listBuildpacks(r *http.Request, _ state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	rel, err := a.current(r, app)
	if err != nil {
		return 0, nil, err
	}
	out := []wire.BuildpackInstallation{}
	if rel.Slug != "" && rel.Language != "" {
		name := "slipway/" + rel.Language
		out = append(out, wire.BuildpackInstallation{Buildpack: wire.Buildpack{Name: name, URL: name}})
	}
	return http.StatusOK, out, nil
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
