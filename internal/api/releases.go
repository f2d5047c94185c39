package api

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"slipway/internal/state"
	"slipway/internal/wire"
)

func (a *api) listReleases(r *http.Request, _ state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	n, err := limit(r, 0, math.MaxInt)
	if err != nil {
		return 0, nil, err
	}
	all, err := a.Apps.Releases(r.Context(), app.Name, n)
	if err != nil {
		return 0, nil, err
	}
	out := make([]wire.Release, 0, len(all))
	for i, rel := range all {
		out = append(out, a.release(app, rel, i == 0))
	}
	return http.StatusOK, out, nil
}

func (a *api) showRelease(r *http.Request, _ state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	n, err := a.version(r, app, r.PathValue("v"))
	if err != nil {
		return 0, nil, err
	}
	rel, err := a.Apps.Release(r.Context(), app.Name, n)
	if err != nil {
		return 0, nil, err
	}
	newest, err := a.current(r, app)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, a.release(app, rel, newest.Version == n), nil
}

func (a *api) rollback(r *http.Request, by state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	var req wire.Rollback
	if err := read(r, &req); err != nil {
		return 0, nil, err
	}
	if req.Slug != "" || req.Release == "" {
		return 0, nil, invalid(`name the release to go back to, as "release"; one of a new slug is made by git push only`)
	}
	n, err := a.version(r, app, req.Release)
	if err != nil {
		return 0, nil, err
	}
	rel, err := a.Deploys.Rollback(r.Context(), by, app.Name, n)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, a.release(app, rel, true), nil
}

// version finds out which release "v3", "3" or an ID means.
func (a *api) version(r *http.Request, app state.App, text string) (int, error) {
	if n, err := strconv.Atoi(strings.TrimPrefix(text, "v")); err == nil && n > 0 {
		return n, nil
	}
	newest, err := a.current(r, app)
	if err != nil {
		return 0, err
	}
	for n := newest.Version; n > 0; n-- {
		if idOf(app, "release", strconv.Itoa(n)) == text {
			return n, nil
		}
	}
	return 0, fmt.Errorf("release %.40q: %w", text, state.ErrNotFound)
}

// current returns the newest release, or one without a version.
func (a *api) current(r *http.Request, app state.App) (state.Release, error) {
	newest, err := a.Apps.Releases(r.Context(), app.Name, 1)
	if err != nil || len(newest) == 0 {
		return state.Release{}, err
	}
	return newest[0], nil
}

// release leaves the config vars out.
func (a *api) release(app state.App, rel state.Release, current bool) wire.Release {
	processes := make(map[string]string, len(rel.Processes))
	for _, p := range rel.Processes {
		processes[p.Type] = p.Command
	}
	out := wire.Release{
		ID: idOf(app, "release", strconv.Itoa(rel.Version)), App: refTo(app),
		Version: rel.Version, Description: rel.Description, Status: "succeeded", Current: current,
		User: wire.Account{Email: rel.User}, CreatedAt: rel.Created, UpdatedAt: rel.Created,
		Commit: rel.Commit, Processes: processes,
	}
	if rel.Slug != "" {
		out.Slug = &wire.Slug{ID: rel.Slug, Image: a.ImageName(app.Name, rel), Size: rel.Size}
		out.Eligible = true
	}
	return out
}
