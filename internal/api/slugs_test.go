package api_test

import (
	"net/http"
	"strings"
	"testing"

	"slipway/internal/api/apitest"
	"slipway/internal/wire"
)

func TestSlugsAreShownAndReleasedAgain(t *testing.T) {
	srv := apitest.Start(t)
	var first, rel wire.Release
	want(t, srv, 200, "GET /apps/shop/releases/1", "", &first)
	if len(first.Artifacts) != 1 || first.Artifacts[0].ID != first.Slug.ID || first.User.Email != "ann@localhost" {
		t.Errorf("v1 = %+v, want its slug as an artifact, by ann", first)
	}
	for _, id := range []string{first.Slug.ID, first.Slug.Digest} {
		var slug wire.SlugInfo
		want(t, srv, 200, "GET /apps/shop/slugs/"+id, "", &slug)
		if slug.ID != first.Slug.ID || slug.Checksum != "SHA256:ab" || slug.Processes["web"] != "serve" || slug.Commit == nil || *slug.Commit != "cd" ||
			slug.Blob.URL != srv.URL+"/v2/shop/manifests/sha256:ab" {
			t.Errorf("slug %s = %+v", id, slug)
		}
	}
	var vars map[string]string
	want(t, srv, 200, "PATCH /apps/shop/config-vars", `{"A": "1"}`, &vars)
	want(t, srv, http.StatusCreated, "POST /apps/shop/releases", `{"slug": "`+first.Slug.ID+`", "description": "Retry of v2: x"}`, &rel)
	if rel.Version != 3 || rel.Description != "Retry of v2: x" || rel.Slug == nil || rel.Slug.ID != first.Slug.ID || !rel.Current {
		t.Errorf("release of the slug = %+v, want v3", rel)
	}
	for version, want1 := range map[string]string{"1": "", "v2": "1", rel.ID: "1"} {
		vars = nil
		want(t, srv, 200, "GET /apps/shop/releases/"+version+"/config-vars", "", &vars)
		if vars == nil || vars["A"] != want1 {
			t.Errorf("config vars of %s = %v, want A=%q", version, vars, want1)
		}
	}
	wanted(t, srv, []request{
		{"a missing slug", "GET /apps/shop/slugs/x", "", 404, "Couldn't find that slug"},
		{"the slug of another app", "GET /apps/bare/slugs/" + first.Slug.ID, "", 404, "Couldn't find that slug"},
		{"a new slug", "POST /apps/shop/slugs", `{"process_types": {}}`, 422, "git push"},
		{"a missing release's config", "GET /apps/shop/releases/9/config-vars", "", 404, ""},
		{"a release of another app's slug", "POST /apps/bare/releases", `{"slug": "` + first.Slug.ID + `"}`, 404, "Couldn't find that slug"},
		{"a description of two lines", "POST /apps/shop/releases", `{"slug": "` + first.Slug.ID + `", "description": "a\nb"}`, 422, "a shorter one"},
		{"a long description", "POST /apps/shop/releases", `{"slug": "` + first.Slug.ID + `", "description": "` + strings.Repeat("x", 501) + `"}`, 422, "a shorter one"},
	})
}
