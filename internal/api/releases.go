package api

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"

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
	s, err := spanOf(r)
	if err != nil {
		return 0, nil, err
	}
	// The newest are what most ask for; one more says whether there are more.
	if newest := s.by == "version" && s.desc && s.from == "" && s.to == ""; newest && (n == 0 || n > s.max) {
		n = s.max + 1
	}
	all, err := a.Apps.Releases(r.Context(), app.Name, n)
	if err != nil {
		return 0, nil, err
	}
	out := make([]wire.Release, 0, len(all))
	for i, rel := range all {
		shown := a.release(app, rel, i == 0)
		shown.OutputStreamURL = a.releaseOutput(r, app, rel)
		out = append(out, shown)
	}
	if n == 0 {
		slices.Reverse(out) // as Heroku does; who wants the newest says so
	}
	return http.StatusOK, out, nil
}

func (a *api) showRelease(r *http.Request, _ state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	rel, err := a.findRelease(r, app)
	if err != nil {
		return 0, nil, err
	}
	newest, err := a.current(r, app)
	if err != nil {
		return 0, nil, err
	}
	shown := a.release(app, rel, newest.Version == rel.Version)
	shown.OutputStreamURL = a.releaseOutput(r, app, rel)
	return http.StatusOK, shown, nil
}

func (a *api) findRelease(r *http.Request, app state.App) (state.Release, error) {
	n, err := a.version(r, app, r.PathValue("v"))
	if err != nil {
		return state.Release{}, err
	}
	return a.Apps.Release(r.Context(), app.Name, n)
}

// createRelease goes back to a release, or makes one of an old slug.
func (a *api) createRelease(r *http.Request, by state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	var req wire.ReleaseCreate
	if err := read(r, &req); err != nil {
		return 0, nil, err
	}
	var rel state.Release
	switch {
	case req.Release != "":
		var n int
		if n, err = a.version(r, app, req.Release); err == nil {
			rel, err = a.Deploys.Rollback(r.Context(), by, app.Name, n)
		}
	case req.Slug != "":
		rel, err = a.reuse(r, by, app, req)
	default:
		err = invalid(`name the release to go back to, as "release", or an old slug, as "slug"; a new slug is made by git push`)
	}
	if err != nil {
		return 0, nil, err
	}
	shown := a.release(app, rel, true)
	shown.OutputStreamURL = a.releaseOutput(r, app, rel)
	return http.StatusCreated, shown, nil
}

// maxDescription is the most bytes of a release's description.
const maxDescription = 500

func (a *api) reuse(r *http.Request, by state.Actor, app state.App, req wire.ReleaseCreate) (state.Release, error) {
	if len(req.Description) > maxDescription || strings.ContainsFunc(req.Description, unicode.IsControl) {
		return state.Release{}, invalid("the description is no line of at most %d bytes: write a shorter one", maxDescription)
	}
	old, err := a.slugsRelease(r, app, req.Slug)
	if err != nil {
		return state.Release{}, err
	}
	return a.Deploys.Reuse(r.Context(), by, app.Name, old.Version, cmp.Or(req.Description, "Release the slug of "+old.Tag()))
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
	out := wire.Release{
		ID: idOf(app, "release", strconv.Itoa(rel.Version)), App: refTo(app),
		Version: rel.Version, Description: rel.Description, Status: "succeeded", Current: current,
		User: a.user(rel.User), CreatedAt: rel.Created, UpdatedAt: rel.Created, Commit: rel.Commit, Processes: processes(rel),
		Slug: a.slug(app, rel), Artifacts: []wire.Artifact{}, AddonPlans: []string{},
	}
	if out.Slug != nil {
		out.Artifacts = append(out.Artifacts, wire.Artifact{ID: out.Slug.ID, Type: "slug"})
		out.Eligible = true
	}
	return out
}
