package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"slipway/internal/api/apitest"
	"slipway/internal/state"
	"slipway/internal/wire"
)

const (
	carol = "carol@example.com"
	dave  = "dave@example.com"
)

// A visitor calls as somebody else than ann.
type visitor struct {
	t     *testing.T
	srv   *apitest.Server
	token string
}

func as(t *testing.T, srv *apitest.Server, token string) visitor {
	t.Helper()
	return visitor{t, srv, token}
}

func (v visitor) call(method, path, body string, answer any) int {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.srv.URL+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	req.SetBasicAuth("anybody@example.com", v.token) // as heroku login -i does
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		v.t.Fatalf("%s %s: the answer is no JSON: %v", method, path, err)
	}
	return resp.StatusCode
}

// refused fails the test unless a call is answered with a status, the ID that
// goes with it, and words.
func (v visitor) refused(method, path, body string, status int, words string) {
	v.t.Helper()
	id := map[int]string{401: "unauthorized", 403: "forbidden", 404: "not_found", 422: "invalid_params"}[status]
	var got wire.Error
	if code := v.call(method, path, body, &got); code != status || got.ID != id || !strings.Contains(got.Message, words) {
		v.t.Errorf("%s %s = %d %+v, want %d %s with %q", method, path, code, got, status, id, words)
	}
}

func TestStrangersGetNoAccess(t *testing.T) {
	srv := apitest.Start(t)
	stranger := srv.AddUser(t, carol, false)
	for _, c := range []struct{ method, path, body string }{
		{"GET", "/apps/shop", ""},
		{"PATCH", "/apps/shop", `{"idle_timeout": "never"}`},
		{"DELETE", "/apps/shop", ""},
		{"GET", "/apps/shop/audit", ""},
		{"GET", "/apps/shop/collaborators", ""},
		{"POST", "/apps/shop/collaborators", `{"user": "carol@example.com"}`},
		{"DELETE", "/apps/shop/collaborators/carol@example.com", ""},
		{"GET", "/apps/shop/config-vars", ""},
		{"PATCH", "/apps/shop/config-vars", `{"A": "1"}`},
		{"GET", "/apps/shop/domains", ""},
		{"POST", "/apps/shop/domains", `{"hostname": "www.example.com"}`},
		{"GET", "/apps/shop/dynos", ""},
		{"POST", "/apps/shop/dynos", `{"command": "id"}`},
		{"DELETE", "/apps/shop/dynos", ""},
		{"GET", "/apps/shop/dynos/run.1/attach", ""},
		{"GET", "/apps/shop/formation", ""},
		{"PATCH", "/apps/shop/formation/web", `{"quantity": 0}`},
		{"GET", "/apps/shop/log-drains", ""},
		{"POST", "/apps/shop/log-drains", `{"url": "https://example.com"}`},
		{"POST", "/apps/shop/log-sessions", `{}`},
		{"GET", "/apps/shop/quota", ""},
		{"GET", "/apps/shop/releases", ""},
		{"POST", "/apps/shop/releases", `{"release": "v1"}`},
		{"GET", "/apps/shop/sni-endpoints", ""},
	} {
		as(t, srv, stranger).refused(c.method, c.path, c.body, 403, "You do not have access to the app shop")
	}
	var apps []wire.App
	if code := as(t, srv, stranger).call("GET", "/apps", "", &apps); code != http.StatusOK || len(apps) != 0 {
		t.Errorf("GET /apps = %d %+v, want none", code, apps)
	}
	if _, err := srv.Store.App(t.Context(), "shop"); err != nil {
		t.Errorf("the app after all that: %v", err)
	}
	admin := srv.AddUser(t, "root@example.com", true)
	if code := as(t, srv, admin).call("GET", "/apps", "", &apps); code != http.StatusOK || len(apps) != 2 {
		t.Errorf("GET /apps of an administrator = %d %+v, want both", code, apps)
	}
	var app wire.App
	if code := as(t, srv, admin).call("DELETE", "/apps/shop", "", &app); code != http.StatusOK {
		t.Errorf("DELETE /apps/shop by an administrator = %d, want 200", code)
	}
}

func TestCollaborators(t *testing.T) {
	srv := apitest.Start(t)
	carols, daves := srv.AddUser(t, carol, false), srv.AddUser(t, dave, false)
	var c wire.Collaborator
	const path = "/apps/shop/collaborators"
	if code := call(t, srv, "POST", path, `{"user": "Carol@example.com", "silent": true}`, &c); code != http.StatusCreated ||
		c.User.Email != carol || c.User.ID != state.UserID(carol) || c.Role != "collaborator" || c.App.Name != "shop" || c.ID == "" {
		t.Fatalf("POST %s = %d %+v, want carol", path, code, c)
	}
	var got wire.Collaborator
	for _, name := range []string{carol, c.ID, c.User.ID} {
		if code := as(t, srv, carols).call("GET", path+"/"+name, "", &got); code != http.StatusOK || got.ID != c.ID {
			t.Errorf("GET %s/%s = %d %+v, want carol", path, name, code, got)
		}
	}
	var all []wire.Collaborator
	if code := as(t, srv, carols).call("GET", path, "", &all); code != http.StatusOK || len(all) != 2 || all[0].Role != "owner" ||
		all[0].User.Email != "ann@localhost" || all[1].User.Email != carol {
		t.Errorf("GET %s = %d %+v, want ann and carol", path, code, all)
	}
	var apps []wire.App
	if code := as(t, srv, carols).call("GET", "/apps", "", &apps); code != http.StatusOK || len(apps) != 1 || apps[0].Name != "shop" {
		t.Errorf("GET /apps = %d %+v, want shop", code, apps)
	}
	as(t, srv, carols).refused("DELETE", "/apps/shop", "", 403, "ann@localhost")
	as(t, srv, carols).refused("POST", path, `{"user": "dave@example.com"}`, 403, "Only the owner")
	as(t, srv, carols).refused("DELETE", path+"/ann@localhost", "", 403, "Only the owner")
	as(t, srv, daves).refused("GET", path, "", 403, "access:add dave@example.com")
	as(t, srv, apitest.Token).refused("POST", path, `{"user": "carol@example.com"}`, 422, "already")
	as(t, srv, apitest.Token).refused("POST", path, `{"user": "eve@example.com"}`, 422, "slipway users:add")
	as(t, srv, apitest.Token).refused("POST", path, `{"user": "admin@localhost"}`, 422, "may use all apps")
	as(t, srv, apitest.Token).refused("POST", path, `{}`, 422, "email")
	as(t, srv, apitest.Token).refused("DELETE", path+"/ann@localhost", "", 422, "owns")
	as(t, srv, apitest.Token).refused("DELETE", path+"/dave@example.com", "", 404, "slipway access -a shop")
	if code := as(t, srv, carols).call("DELETE", path+"/"+carol, "", &got); code != http.StatusOK || got.ID != c.ID {
		t.Errorf("DELETE of oneself = %d %+v, want 200 and carol", code, got)
	}
	as(t, srv, carols).refused("GET", "/apps/shop", "", 403, "You do not have access")
}

func TestKeysAreOfTheirUser(t *testing.T) {
	srv := apitest.Start(t)
	carols := srv.AddUser(t, carol, false)
	if err := srv.Store.AddKey(t.Context(), state.Actor{User: "ann"}, state.Key{Fingerprint: "SHA256:x", User: "ann"}); err != nil {
		t.Fatal(err)
	}
	var keys []wire.Key
	if code := as(t, srv, carols).call("GET", "/account/keys", "", &keys); code != http.StatusOK || len(keys) != 0 {
		t.Errorf("GET /account/keys = %d %+v, want none", code, keys)
	}
	as(t, srv, carols).refused("DELETE", "/account/keys/SHA256:x", "", 404, "")
	if code := call(t, srv, "GET", "/account/keys", "", &keys); code != http.StatusOK || len(keys) != 1 {
		t.Errorf("GET /account/keys of ann = %d %+v, want one", code, keys)
	}
}

func TestAuditsOfAnEarlierAppAreItsOwners(t *testing.T) {
	srv := apitest.Start(t)
	carols := srv.AddUser(t, carol, false)
	if err := srv.Store.DeleteApp(t.Context(), state.Actor{User: "ann", From: "10.1.2.3"}, "shop"); err != nil {
		t.Fatal(err)
	}
	var app wire.App
	if code := as(t, srv, carols).call("POST", "/apps", `{"name": "shop"}`, &app); code != http.StatusCreated {
		t.Fatalf("POST /apps = %d, want 201", code)
	}
	var audits []wire.Audit
	if code := as(t, srv, carols).call("GET", "/apps/shop/audit", "", &audits); code != http.StatusOK || len(audits) != 1 || audits[0].Action != "app.create" {
		t.Errorf("GET /apps/shop/audit = %d %+v, want the new app's only", code, audits)
	}
}
