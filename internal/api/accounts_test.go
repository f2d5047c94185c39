package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"slipway/internal/api/apitest"
	"slipway/internal/state"
	"slipway/internal/wire"
)

func TestAuthorizations(t *testing.T) {
	srv := apitest.Start(t)
	carols := srv.AddUser(t, carol, false)
	const path = "/oauth/authorizations"
	var made wire.Authorization
	if code := as(t, srv, carols).call("POST", path, `{"description": "laptop", "expires_in": 3600, "scope": ["global"]}`, &made); code != http.StatusCreated ||
		made.Description != "laptop" || made.User.Email != carol || made.AccessToken.ExpiresIn == nil || *made.AccessToken.ExpiresIn > 3600 || *made.AccessToken.ExpiresIn < 3500 {
		t.Fatalf("POST %s = %d %+v, want one for an hour", path, code, made)
	}
	token := made.AccessToken.Token
	var account wire.Account
	if code := as(t, srv, token).call("GET", "/account", "", &account); code != http.StatusOK || account.Email != carol {
		t.Errorf("GET /account with the new token = %d %+v, want carol", code, account)
	}
	var all []wire.Authorization
	if code := as(t, srv, carols).call("GET", path, "", &all); code != http.StatusOK || len(all) != 2 {
		t.Fatalf("GET %s = %d %+v, want two", path, code, all)
	}
	masked := all[1].AccessToken.Token
	before, after, _ := strings.Cut(masked, "**********")
	if all[1].ID != made.ID || masked == token || !strings.HasPrefix(token, before) || !strings.HasSuffix(token, after) || len(before)+len(after) > 20 {
		t.Errorf("GET %s shows the token %q as %q, want its middle masked", path, token, masked)
	}
	if code := as(t, srv, carols).call("PATCH", path+"/"+made.ID, `{"description": "desk"}`, &made); code != http.StatusOK || made.Description != "desk" || made.AccessToken.Token != masked {
		t.Errorf("PATCH = %d %+v, want another description", code, made)
	}
	if code := as(t, srv, carols).call("POST", path+"/"+made.ID+"/actions/regenerate-tokens", "", &made); code != http.StatusOK || made.AccessToken.Token == token || made.Description != "desk" {
		t.Fatalf("regenerate = %d %+v, want another token", code, made)
	}
	as(t, srv, token).refused("GET", "/account", "", 401, "")
	if code := as(t, srv, made.AccessToken.Token).call("GET", "/account", "", &account); code != http.StatusOK {
		t.Errorf("GET /account with the regenerated token = %d, want 200", code)
	}
	as(t, srv, apitest.Token).refused("DELETE", path+"/"+made.ID, "", 404, "slipway authorizations")
	if code := as(t, srv, carols).call("DELETE", path+"/"+made.ID, "", &made); code != http.StatusOK {
		t.Errorf("DELETE = %d, want 200", code)
	}
	as(t, srv, carols).refused("GET", path+"/"+made.ID, "", 404, "")
}

func TestBadAuthorizationsAreRefused(t *testing.T) {
	srv := apitest.Start(t)
	carols := srv.AddUser(t, carol, false)
	for name, body := range map[string]string{
		"another scope": `{"scope": ["identity"]}`, "a client": `{"client": "x"}`, "no time": `{"expires_in": 0}`, "a time before": `{"expires_in": -1}`,
		"a time that is none": `{"expires_in": 1.5}`, "ages": `{"expires_in": 99999999999999}`, "a novel": `{"description": "` + strings.Repeat("x", 300) + `"}`,
		"a word": `{"expires_in": "soon"}`,
	} {
		t.Run(name, func(t *testing.T) {
			as(t, srv, carols).refused("POST", "/oauth/authorizations", body, 422, "")
		})
	}
	var made wire.Authorization
	if code := as(t, srv, carols).call("POST", "/oauth/authorizations", `{"expires_in": "60"}`, &made); code != http.StatusCreated || made.AccessToken.ExpiresIn == nil {
		t.Errorf("POST of a number in quotes, as the official CLI sends it = %d %+v, want 201", code, made)
	}
	for what, path := range map[string]string{"authorization": "/oauth/authorizations/~", "session": "/oauth/sessions/~"} {
		method := map[string]string{"authorization": "GET", "session": "DELETE"}[what]
		var got wire.Error
		if code := call(t, srv, method, path, "", &got); code != http.StatusNotFound || got.Resource != what {
			t.Errorf("%s %s = %d %+v, want 404 of %s: heroku logout wants it", method, path, code, got, what)
		}
	}
}

func TestExpiredAuthorizationsAreNotListed(t *testing.T) {
	srv := apitest.Start(t)
	carols := srv.AddUser(t, carol, false)
	_, err := srv.Store.AddToken(t.Context(), state.Actor{User: carol}, state.Token{User: carol, Hash: "h", Expires: time.Now().Add(-time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	var all []wire.Authorization
	if code := as(t, srv, carols).call("GET", "/oauth/authorizations", "", &all); code != http.StatusOK || len(all) != 1 {
		t.Errorf("GET /oauth/authorizations = %d %+v, want only what has not expired", code, all)
	}
}

func TestAccountsAreForAdministrators(t *testing.T) {
	srv := apitest.Start(t)
	admin, carols := srv.AddUser(t, "root@example.com", true), srv.AddUser(t, carol, false)
	for _, c := range []struct{ method, path string }{
		{"GET", "/admin/accounts"}, {"POST", "/admin/accounts"}, {"DELETE", "/admin/accounts/" + carol}, {"POST", "/admin/accounts/" + carol + "/tokens"},
	} {
		as(t, srv, carols).refused(c.method, c.path, `{"email": "eve@example.com"}`, 403, "Only administrators")
	}
	var made wire.User
	if code := as(t, srv, admin).call("POST", "/admin/accounts", `{"email": "Dave@example.com"}`, &made); code != http.StatusCreated || made.Email != dave || made.Token == "" || made.Admin {
		t.Fatalf("POST /admin/accounts = %d %+v, want dave with a token", code, made)
	}
	first := made.Token
	var account wire.Account
	if code := as(t, srv, first).call("GET", "/account", "", &account); code != http.StatusOK || account.Email != dave {
		t.Errorf("GET /account with the first token = %d %+v, want dave", code, account)
	}
	if code := as(t, srv, admin).call("POST", "/admin/accounts/"+dave+"/tokens", "", &made); code != http.StatusCreated || made.Token == "" || made.Token == first {
		t.Errorf("POST /admin/accounts/%s/tokens = %d %+v, want another token", dave, code, made)
	}
	var all []wire.User
	if code := as(t, srv, admin).call("GET", "/admin/accounts", "", &all); code != http.StatusOK || len(all) != 3 || all[1].Email != dave || all[1].Token != "" {
		t.Errorf("GET /admin/accounts = %d %+v, want three without tokens", code, all)
	}
	for body, words := range map[string]string{
		`{"email": "dave@example.com"}`: "already", `{"email": "dave"}`: "no email", `{"email": "admin@localhost"}`: "first token", `{}`: "no email",
	} {
		as(t, srv, admin).refused("POST", "/admin/accounts", body, 422, words)
	}
	as(t, srv, carols).refused("PATCH", "/account", `{"name": "Carol"}`, 422, "users:add")
	if code := as(t, srv, admin).call("DELETE", "/admin/accounts/"+dave, "", &made); code != http.StatusOK || made.Email != dave {
		t.Errorf("DELETE /admin/accounts/%s = %d %+v, want 200", dave, code, made)
	}
	as(t, srv, first).refused("GET", "/account", "", 401, "")
	as(t, srv, admin).refused("DELETE", "/admin/accounts/"+dave, "", 404, "slipway users")
}
