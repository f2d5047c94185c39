package api

import (
	"net/http"
	"strings"

	"slipway/internal/state"
	"slipway/internal/wire"
)

func (a *api) showSlug(r *http.Request, _ state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	rel, err := a.slugsRelease(r, app, r.PathValue("slug"))
	if err != nil {
		return 0, nil, err
	}
	out := wire.SlugInfo{
		Slug: *a.slug(app, rel), Checksum: strings.Replace(rel.Slug, "sha256:", "SHA256:", 1),
		Blob:     wire.Blob{Method: "GET", URL: a.self(r) + "/v2/" + app.Name + "/manifests/" + rel.Slug},
		Language: language(rel), Processes: processes(rel), Stack: a.stack(), CreatedAt: rel.Created, UpdatedAt: rel.Created,
	}
	if rel.Commit != "" {
		out.Commit = &rel.Commit
	}
	return http.StatusOK, out, nil
}

// slugsRelease finds the release that first had a slug, by the slug's ID or
// digest.
func (a *api) slugsRelease(r *http.Request, app state.App, given string) (first state.Release, err error) {
	all, err := a.Apps.Releases(r.Context(), app.Name, 0)
	if err != nil {
		return first, err
	}
	for _, rel := range all { // the newest first
		if rel.Slug != "" && (given == rel.Slug || strings.EqualFold(given, idOf(app, "slug", rel.Slug))) {
			first = rel
		}
	}
	if first.Version == 0 {
		err = &resourceError{resource: "slug", text: "Couldn't find that slug. The app's releases name those that there are: see slipway releases"}
	}
	return first, err
}

// slug shows a release's slug; nil if it has none.
func (a *api) slug(app state.App, rel state.Release) *wire.Slug {
	if rel.Slug == "" {
		return nil
	}
	return &wire.Slug{ID: idOf(app, "slug", rel.Slug), Digest: rel.Slug, Image: a.ImageName(app.Name, rel), Size: rel.Size}
}

func processes(rel state.Release) map[string]string {
	all := make(map[string]string, len(rel.Processes))
	for _, p := range rel.Processes {
		all[p.Type] = p.Command
	}
	return all
}
