package api_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/apitest"
	"slipway/internal/state"
	"slipway/internal/wire"
)

// wanted calls the API with each request, and fails where the status, or the
// error's words, are not those wanted.
func wanted(t *testing.T, srv *apitest.Server, table []request) {
	t.Helper()
	for _, c := range table {
		t.Run(c.name, func(t *testing.T) {
			method, path, _ := strings.Cut(c.route, " ")
			var got wire.Error
			if status := call(t, srv, method, path, c.body, &got); status != c.status || !strings.Contains(got.Message, c.words) {
				t.Errorf("%s %s = %d %q, want %d with %q", c.route, c.body, status, got.Message, c.status, c.words)
			}
		})
	}
}

type request struct {
	name, route, body string
	status            int
	words             string // in the error's message
}

func TestAppHasAllThatHerokuSays(t *testing.T) {
	srv := apitest.Start(t, func(cfg *api.Config) {
		cfg.RepoSize = func(_ context.Context, app string) (int64, error) { return int64(len(app)), nil }
	})
	var shop, bare wire.App
	want(t, srv, 200, "GET /apps/shop", "", &shop)
	want(t, srv, 200, "GET /apps/bare", "", &bare)
	if shop.ReleasedAt == nil || bare.ReleasedAt != nil || shop.UpdatedAt.Before(shop.CreatedAt) {
		t.Errorf("released_at of shop = %v, of bare = %v; want a time and null", shop.ReleasedAt, bare.ReleasedAt)
	}
	if shop.SlugSize == nil || bare.SlugSize != nil || shop.RepoSize == nil || *shop.RepoSize != 4 {
		t.Errorf("slug_size of shop = %v, of bare = %v, repo_size = %v; want a size, null and 4", shop.SlugSize, bare.SlugSize, shop.RepoSize)
	}
	if shop.Owner.Email != "ann@localhost" || shop.Owner.ID != state.UserID("ann") {
		t.Errorf("owner = %+v, want ann@localhost with an ID", shop.Owner)
	}
	if shop.Region.Name != "us" || shop.Stack.Name != "slipway-debian13" || shop.BuildStack != shop.Stack || shop.ACM {
		t.Errorf("region, stacks and acm = %+v %+v %+v %t", shop.Region, shop.Stack, shop.BuildStack, shop.ACM)
	}
}

func TestAppsAreMadeOfWhatThereIs(t *testing.T) {
	srv := apitest.Start(t)
	wanted(t, srv, []request{
		{"a region", "POST /apps", `{"name": "one", "region": "us"}`, 201, ""},
		{"the stack", "POST /apps", `{"name": "two", "stack": "Slipway-Debian13"}`, 201, ""},
		{"nothing special", "POST /apps", `{"name": "three", "feature_flags": [], "locked": false, "space": null, "team": ""}`, 201, ""},
		{"another region", "POST /apps", `{"name": "four", "region": "eu"}`, 422, "leave the region out"},
		{"another stack", "POST /apps", `{"name": "four", "stack": "container"}`, 422, "leave the stack out"},
		{"a space", "POST /apps", `{"name": "four", "space": "place"}`, 422, "leave the space out"},
		{"a team", "POST /apps", `{"name": "four", "team": "us"}`, 422, "access:add"},
		{"a feature", "POST /apps", `{"name": "four", "feature_flags": ["x"]}`, 422, "config:set"},
		{"a region that is a number", "POST /apps", `{"name": "four", "region": 1}`, 422, "JSON"},
		{"what was refused is not there", "GET /apps/four", "", 404, ""},
		{"its own name", "PATCH /apps/shop", `{"name": "shop", "build_stack": "slipway-debian13"}`, 200, ""},
		{"another name", "PATCH /apps/shop", `{"name": "store", "maintenance": true}`, 422, "does not rename"},
		{"another build stack", "PATCH /apps/shop", `{"build_stack": "heroku-24"}`, 422, "leave the stack out"},
		{"automatic certificates", "POST /apps/shop/acm", "", 422, "--acme-email"},
		{"no automatic certificates", "DELETE /apps/shop/acm", "", 422, "--acme-email"},
	})
	var app wire.App
	want(t, srv, 200, "GET /apps/shop", "", &app)
	if app.Maintenance {
		t.Error("maintenance is on after a change that was refused")
	}
	want(t, srv, 200, "PATCH /apps/shop", `{"build_stack": "`+app.Stack.ID+`"}`, &app)
}

func TestAutomaticCertificatesAreOnWhereTheServerGetsThem(t *testing.T) {
	srv := apitest.Start(t, func(cfg *api.Config) { cfg.ACM = true })
	for _, route := range []string{"GET /apps/shop", "POST /apps/shop/acm", "PATCH /apps/shop/acm"} {
		var app wire.App
		want(t, srv, 200, route, "", &app)
		if !app.ACM {
			t.Errorf("%s: acm is false, want true", route)
		}
	}
	wanted(t, srv, []request{{"they cannot be turned off", "DELETE /apps/shop/acm", "", 422, "--acme-email"}})
}

func TestCatalogs(t *testing.T) {
	srv := apitest.Start(t, func(cfg *api.Config) { cfg.DynoCPUs, cfg.DynoMemory = 1.5, 512<<20 })
	for path, name := range map[string]string{"/regions": "us", "/stacks": "slipway-debian13", "/dyno-sizes": wire.Size, "/generations": "cedar"} {
		var all []wire.Ref
		var one wire.Ref
		want(t, srv, 200, "GET "+path, "", &all)
		if len(all) != 1 || all[0].Name != name {
			t.Fatalf("GET %s = %+v, want %s alone", path, all, name)
		}
		for _, given := range []string{all[0].ID, strings.ToUpper(name)} {
			want(t, srv, 200, "GET "+path+"/"+given, "", &one)
			if one != all[0] {
				t.Errorf("GET %s/%s = %+v, want %+v", path, given, one, all[0])
			}
		}
		var failed wire.Error
		want(t, srv, 404, "GET "+path+"/other", "", &failed)
	}
	for _, path := range []string{"available-stacks", "available-dyno-sizes"} {
		var all []wire.Ref
		want(t, srv, 200, "GET /apps/shop/"+path, "", &all)
	}
	var size wire.DynoSize
	want(t, srv, 200, "GET /dyno-sizes/standard", "", &size)
	if size.Compute != 2 || size.Memory != 0.5 {
		t.Errorf("size = %+v, want 2 processors and half a GiB", size)
	}
}

func TestUsers(t *testing.T) {
	srv := apitest.Start(t)
	carols := as(t, srv, srv.AddUser(t, carol, false))
	roots := as(t, srv, srv.AddUser(t, "root@example.com", true))
	var me, other wire.AccountInfo
	for _, path := range []string{"/account", "/users/~", "/users/ann@localhost", "/users/" + state.UserID("ann")} {
		want(t, srv, 200, "GET "+path, "", &me)
		if me.Email != "ann@localhost" || me.ID != state.UserID("ann") || me.Admin {
			t.Errorf("GET %s = %+v, want ann", path, me)
		}
	}
	wanted(t, srv, []request{
		{"somebody else", "GET /users/" + carol, "", 404, "Couldn't find that user"},
		{"somebody else's apps", "GET /users/" + carol + "/apps", "", 404, "Couldn't find that user"},
		{"another name", "PATCH /account", `{"name": "Ann"}`, 422, "email alone"},
	})
	var apps []wire.App
	want(t, srv, 200, "GET /users/~/apps", "", &apps)
	if len(apps) != 2 || apps[0].Name != "bare" || apps[1].Name != "shop" {
		t.Errorf("GET /users/~/apps = %+v, want bare and shop", apps)
	}
	if status := carols.call("GET", "/users/~/apps", "", &apps); status != http.StatusOK || len(apps) != 0 {
		t.Errorf("GET /users/~/apps of carol = %d %+v, want none", status, apps)
	}
	if status := roots.call("GET", "/users/~/apps", "", &apps); status != http.StatusOK || len(apps) != 0 {
		t.Errorf("GET /users/~/apps of an administrator = %d %+v, want none of others", status, apps)
	}
	if status := roots.call("GET", "/users/"+state.UserID(carol), "", &other); status != http.StatusOK || other.Email != carol {
		t.Errorf("GET carol's ID by an administrator = %d %+v, want carol", status, other)
	}
}

func TestBuildpackIsTheOneOfTheNewestBuild(t *testing.T) {
	srv := apitest.Start(t)
	var none, one []wire.BuildpackInstallation
	want(t, srv, 200, "GET /apps/shop/buildpack-installations", "", &none)
	rel := state.Release{App: "shop", Slug: "sha256:cd", Language: "nodejs", Created: time.Now()}
	if _, err := srv.Store.AddRelease(t.Context(), state.Actor{User: "ann"}, rel, 1); err != nil {
		t.Fatal(err)
	}
	want(t, srv, 200, "GET /apps/shop/buildpack-installations", "", &one)
	if len(none) != 0 || len(one) != 1 || one[0].Buildpack.Name != "slipway/nodejs" {
		t.Errorf("buildpacks = %+v, then %+v; want none, then slipway/nodejs", none, one)
	}
	var app wire.App
	want(t, srv, 200, "GET /apps/shop", "", &app)
	if app.Language == nil || *app.Language != "Node.js" {
		t.Errorf("buildpack_provided_description = %v, want Node.js", app.Language)
	}
}

func TestBuildpacksAreSet(t *testing.T) {
	srv := apitest.Start(t)
	const path = " /apps/shop/buildpack-installations"
	var set, all []wire.BuildpackInstallation
	want(t, srv, 200, "PUT"+path, `{"updates": [{"buildpack": "urn:buildpack:heroku/nodejs"}, {"buildpack": "./bp"}]}`, &set)
	want(t, srv, 200, "GET"+path, "", &all)
	for _, got := range [][]wire.BuildpackInstallation{set, all} {
		if len(got) != 2 || got[0].Buildpack.Name != "heroku/nodejs" || got[1].Buildpack.URL != "./bp" || got[1].Ordinal != 1 {
			t.Errorf("buildpacks = %+v, want heroku/nodejs and ./bp", got)
		}
	}
	wanted(t, srv, []request{
		{"no list", "PUT" + path, `{}`, 422, "updates is missing"},
		{"too many", "PUT" + path, `{"updates": [` + strings.Repeat(`{"buildpack": "a/b"}, `, 999) + `{"buildpack": "a/b"}]}`, 422, "1000 buildpacks, want at most 20"},
		{"one that is not there", "PUT" + path, `{"updates": [{"buildpack": "acme/frob"}]}`, 422, "It has: slipway/nodejs"},
		{"one that leads out", "PUT" + path, `{"updates": [{"buildpack": "./../bp"}]}`, 422, "leads out of the app"},
		{"a password", "PUT" + path, `{"updates": [{"buildpack": "https://u:pw@example.com/bp.tgz"}]}`, 422, "has a password"},
	})
	want(t, srv, 200, "GET"+path, "", &all)
	if len(all) != 2 {
		t.Errorf("buildpacks after refusals = %+v, want two", all)
	}
	want(t, srv, 200, "PUT"+path, `{"updates": []}`, &set)
	want(t, srv, 200, "GET"+path, "", &all)
	if len(set) != 0 || len(all) != 0 {
		t.Errorf("buildpacks after none were set = %+v, %+v, want none", set, all)
	}
}

func TestDynosHaveOneSize(t *testing.T) {
	srv := apitest.Start(t)
	var one wire.Formation
	want(t, srv, 200, "GET /apps/shop/formation/web", "", &one)
	if one.Size != wire.Size || one.DynoSize.Name != wire.Size {
		t.Errorf("size = %q, dyno_size = %+v; want %s", one.Size, one.DynoSize, wire.Size)
	}
	wanted(t, srv, []request{
		{"the size", "PATCH /apps/shop/formation/web", `{"size": "standard"}`, 200, ""},
		{"the size as an object", "PATCH /apps/shop/formation/web", `{"dyno_size": {"name": "Standard"}}`, 200, ""},
		{"the size by ID", "PATCH /apps/shop/formation/web", `{"dyno_size": {"id": "` + one.DynoSize.ID + `"}}`, 200, ""},
		{"no size", "PATCH /apps/shop/formation/web", `{"dyno_size": null, "size": null}`, 200, ""},
		{"another size", "PATCH /apps/shop/formation/web", `{"quantity": 5, "size": "performance-l"}`, 422, "there is Standard"},
		{"another size as an object", "PATCH /apps/shop/formation", `{"updates": [{"type": "web", "dyno_size": {"name": "eco"}}]}`, 422, "there is Standard"},
		{"a size that is a number", "PATCH /apps/shop/formation/web", `{"dyno_size": 2}`, 422, "JSON"},
		{"an image", "PATCH /apps/shop/formation/web", `{"docker_image": "x"}`, 422, "git push"},
		{"no image", "PATCH /apps/shop/formation", `{"updates": [{"type": "web", "docker_image": null}]}`, 422, "git push"},
		{"a release dyno", "PATCH /apps/shop/formation/release", `{"quantity": 1}`, 422, "once before each release"},
		{"no release dyno", "PATCH /apps/shop/formation/release", `{"quantity": 0}`, 200, ""},
	})
	want(t, srv, 200, "GET /apps/shop/formation/web", "", &one)
	if one.Quantity != 1 {
		t.Errorf("quantity after all that = %d, want 1", one.Quantity)
	}
}

func TestKeysHaveAnID(t *testing.T) {
	srv := apitest.Start(t)
	const line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKPyTnzDRdbSMWKZzTy0GHNYIUfUMBAvN0oxWpEYE3Ac ann@home"
	var key, same wire.Key
	want(t, srv, http.StatusCreated, "POST /account/keys", `{"public_key": "`+line+`"}`, &key)
	if key.PublicKey != line || key.Email != "ann@localhost" || key.Comment != "ann@home" {
		t.Errorf("key = %+v, want the line that was added, of ann", key)
	}
	for _, id := range []string{key.ID, url.PathEscape(key.Fingerprint)} {
		want(t, srv, 200, "GET /account/keys/"+id, "", &same)
		if same != key {
			t.Errorf("key %s = %+v, want %+v", id, same, key)
		}
	}
	carols := as(t, srv, srv.AddUser(t, carol, false))
	carols.refused("GET", "/account/keys/"+key.ID, "", 404, "Couldn't find that key")
	carols.refused("DELETE", "/account/keys/"+key.ID, "", 404, "Couldn't find that key")
	want(t, srv, 200, "DELETE /account/keys/"+key.ID, "", &same)
	wanted(t, srv, []request{{"a key that is gone", "GET /account/keys/" + key.ID, "", 404, "Couldn't find that key"}})
}
