package api

import (
	"net/http"

	"slipway/internal/state"
	"slipway/internal/wire"
)

func (a *api) listReleases(r *http.Request, _ string) (int, any, error) {
	app, err := a.Apps.App(r.Context(), r.PathValue("app"))
	if err != nil {
		return 0, nil, err
	}
	all, err := a.Apps.Releases(r.Context(), app.Name, 0)
	if err != nil {
		return 0, nil, err
	}
	out := make([]wire.Release, 0, len(all))
	for i, rel := range all {
		out = append(out, a.release(rel, i == 0))
	}
	return http.StatusOK, out, nil
}

func (a *api) showRelease(r *http.Request, _ string) (int, any, error) {
	n, err := version(r)
	if err != nil {
		return 0, nil, err
	}
	rel, err := a.Apps.Release(r.Context(), r.PathValue("app"), n)
	if err != nil {
		return 0, nil, err
	}
	newest, err := a.Apps.Releases(r.Context(), r.PathValue("app"), 1)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, a.release(rel, newest[0].Version == n), nil
}

func (a *api) release(rel state.Release, current bool) wire.Release {
	processes := make(map[string]string, len(rel.Processes))
	for _, p := range rel.Processes {
		processes[p.Type] = p.Command
	}
	return wire.Release{
		Version: rel.Version, Description: rel.Description, Status: "succeeded", Current: current,
		User: wire.Account{Email: rel.User}, CreatedAt: rel.Created, Commit: rel.Commit,
		Slug:      wire.Slug{ID: rel.Slug, Image: a.ImageName(rel.App, rel), Size: rel.Size},
		Processes: processes,
	}
}
