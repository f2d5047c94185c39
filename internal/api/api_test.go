package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"slipway/internal/api/apitest"
	"slipway/internal/state"
	"slipway/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func call(t *testing.T, srv *apitest.Server, method, path, body string, answer any) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+apitest.Token)
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		t.Fatalf("%s %s: the answer is no JSON: %v", method, path, err)
	}
	return resp.StatusCode
}

func TestErrorsHaveHerokusStatusAndID(t *testing.T) {
	srv := apitest.Start(t)
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		id                       string
	}{
		{"a missing app", "GET", "/apps/shed", "", 404, "not_found"},
		{"releases of a missing app", "GET", "/apps/shed/releases", "", 404, "not_found"},
		{"a missing release", "GET", "/apps/shop/releases/9", "", 404, "not_found"},
		{"a release that is no number", "GET", "/apps/shop/releases/x", "", 404, "not_found"},
		{"a limit that is no number", "GET", "/apps/shop/releases?limit=many", "", 422, "invalid_params"},
		{"a taken name", "POST", "/apps", `{"name": "shop"}`, 422, "invalid_params"},
		{"a bad name", "POST", "/apps", `{"name": "../etc"}`, 422, "invalid_params"},
		{"no JSON", "POST", "/apps", `{"name`, 422, "invalid_params"},
		{"an unknown field", "POST", "/apps", `{"nom": "shop"}`, 422, "invalid_params"},
		{"two bodies", "POST", "/apps", `{"name": "shop2"} {"name": "shop3"}`, 422, "invalid_params"},
		{"a list", "POST", "/apps", `["shop2"]`, 422, "invalid_params"},
		{"a name of the server's", "POST", "/apps", `{"name": "metrics"}`, 422, "invalid_params"},
		{"a body without end", "POST", "/apps", `{"name": "` + strings.Repeat("x", 2<<20) + `"}`, 422, "invalid_params"},
		{"no key", "POST", "/account/keys", `{"public_key": "ssh-nothing AAAA"}`, 422, "invalid_params"},
		{"a missing key", "DELETE", "/account/keys/SHA256:none", "", 404, "not_found"},
		{"a missing address", "GET", "/apps/shop/nothing", "", 404, "not_found"},
		{"a wrong method", "PUT", "/apps/shop/nothing", "", 404, "not_found"},

		{"config of a missing app", "GET", "/apps/shed/config-vars", "", 404, "not_found"},
		{"config set of a missing app", "PATCH", "/apps/shed/config-vars", `{"A": "1"}`, 404, "not_found"},
		{"a config var that is a number", "PATCH", "/apps/shop/config-vars", `{"A": 1}`, 422, "invalid_params"},
		{"a config var's name with a space", "PATCH", "/apps/shop/config-vars", `{"A B": "1"}`, 422, "invalid_params"},
		{"no config vars", "PATCH", "/apps/shop/config-vars", `{}`, 422, "invalid_params"},
		{"a list of config vars", "PATCH", "/apps/shop/config-vars", `["A"]`, 422, "invalid_params"},
		{"a megabyte of config", "PATCH", "/apps/shop/config-vars", `{"A": "` + strings.Repeat("x", 1<<20) + `"}`, 422, "invalid_params"},
		{"40 KiB of config", "PATCH", "/apps/shop/config-vars", `{"A": "` + strings.Repeat("x", 40<<10) + `"}`, 422, "invalid_params"},

		{"a rollback to a missing release", "POST", "/apps/shop/releases", `{"release": "v9"}`, 404, "not_found"},
		{"a rollback to nothing", "POST", "/apps/shop/releases", `{}`, 422, "invalid_params"},
		{"a release of a missing slug", "POST", "/apps/shop/releases", `{"slug": "x"}`, 404, "not_found"},
		{"a release of an image", "POST", "/apps/shop/releases", `{"oci_image": "x"}`, 422, "invalid_params"},
		{"a rollback to a word", "POST", "/apps/shop/releases", `{"release": "last"}`, 404, "not_found"},

		{"a formation of a missing app", "GET", "/apps/shed/formation", "", 404, "not_found"},
		{"a missing type", "GET", "/apps/shop/formation/clock", "", 404, "not_found"},
		{"scaling a missing type", "PATCH", "/apps/shop/formation/clock", `{"quantity": 1}`, 404, "not_found"},
		{"scaling a type of a bare app", "PATCH", "/apps/bare/formation/web", `{"quantity": 1}`, 404, "not_found"},
		{"too many dynos", "PATCH", "/apps/shop/formation/web", `{"quantity": 101}`, 422, "invalid_params"},
		{"fewer than no dynos", "PATCH", "/apps/shop/formation/web", `{"quantity": -1}`, 422, "invalid_params"},
		{"a word as quantity", "PATCH", "/apps/shop/formation/web", `{"quantity": "many"}`, 422, "invalid_params"},
		{"no updates", "PATCH", "/apps/shop/formation", `{"updates": []}`, 422, "invalid_params"},
		{"an update of no type", "PATCH", "/apps/shop/formation", `{"updates": [{"quantity": 1}]}`, 404, "not_found"},

		{"dynos of a missing app", "GET", "/apps/shed/dynos", "", 404, "not_found"},
		{"a missing dyno", "GET", "/apps/shop/dynos/web.9", "", 404, "not_found"},
		{"a restart of a missing dyno", "DELETE", "/apps/shop/dynos/web.9", "", 404, "not_found"},
		{"a restart of a missing type", "DELETE", "/apps/shop/formations/clock", "", 404, "not_found"},
		{"a stop of a missing dyno", "POST", "/apps/shop/dynos/web.9/actions/stop", "", 404, "not_found"},
		{"a one-off dyno without a command", "POST", "/apps/shop/dynos", `{"command": " "}`, 422, "invalid_params"},
		{"a command that is too long", "POST", "/apps/shop/dynos", `{"command": "` + strings.Repeat("x", 40<<10) + `"}`, 422, "invalid_params"},
		{"a variable without a name", "POST", "/apps/shop/dynos", `{"command": "ls", "env": {"": "x"}}`, 422, "invalid_params"},
		{"a variable with a NUL", "POST", "/apps/shop/dynos", `{"command": "ls", "env": {"A": "\u0000"}}`, 422, "invalid_params"},
		{"an environment that is too long", "POST", "/apps/shop/dynos", `{"command": "ls", "env": {"A": "` + strings.Repeat("x", 40<<10) + `"}}`, 422, "invalid_params"},
		{"an attachment to a missing dyno", "GET", "/apps/shop/dynos/run.1/attach", "", 404, "not_found"},
		{"a quota of a missing app", "GET", "/apps/shed/quota", "", 404, "not_found"},

		{"logs of a missing app", "POST", "/apps/shed/log-sessions", `{}`, 404, "not_found"},
		{"fewer than no lines", "POST", "/apps/shop/log-sessions", `{"lines": -1}`, 422, "invalid_params"},
		{"a missing log session", "GET", "/apps/shop/log-sessions/none", "", 404, "not_found"},

		{"an idle time-out that is none", "PATCH", "/apps/shop", `{"idle_timeout": "soon"}`, 422, "invalid_params"},
		{"an idle time-out that is too short", "PATCH", "/apps/shop", `{"idle_timeout": "1ms"}`, 422, "invalid_params"},
		{"an idle time-out below zero", "PATCH", "/apps/shop", `{"idle_timeout": "-5m"}`, 422, "invalid_params"},
		{"a new name", "PATCH", "/apps/shop", `{"name": "store"}`, 422, "invalid_params"},
		{"an audit of a missing app", "GET", "/apps/shed/audit", "", 404, "not_found"},

		{"a domain that is none", "POST", "/apps/shop/domains", `{"hostname": "no dots"}`, 422, "invalid_params"},
		{"a domain of nothing", "POST", "/apps/shop/domains", `{}`, 422, "invalid_params"},
		{"a missing domain", "DELETE", "/apps/shop/domains/www.example.com", "", 404, "not_found"},
		{"a certificate without a key", "POST", "/apps/shop/sni-endpoints", `{"certificate_chain": "x"}`, 422, "invalid_params"},
		{"a certificate of another key", "POST", "/apps/shop/sni-endpoints", `{"certificate_chain": "bad", "private_key": "x"}`, 422, "invalid_params"},
		{"a missing certificate", "DELETE", "/apps/shop/sni-endpoints/none", "", 404, "not_found"},
		{"a drain to nowhere", "POST", "/apps/shop/log-drains", `{}`, 422, "invalid_params"},
		{"a drain over FTP", "POST", "/apps/shop/log-drains", `{"url": "ftp://example.com"}`, 422, "invalid_params"},
		{"a missing drain", "DELETE", "/apps/shop/log-drains/none", "", 404, "not_found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got wire.Error
			if status := call(t, srv, c.method, c.path, c.body, &got); status != c.status || got.ID != c.id || got.Message == "" {
				t.Errorf("%s %s = %d %+v, want %d %s and a message", c.method, c.path, status, got, c.status, c.id)
			}
		})
	}
}

func TestFormOfABrowserIsRefused(t *testing.T) {
	srv := apitest.Start(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/apps", strings.NewReader(`{"name": "shop2"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+apitest.Token)
	req.Header.Set("Content-Type", "text/plain")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("POST of text/plain = %d, want 422", resp.StatusCode)
	}
}

func TestWrongTokenIsUnauthorized(t *testing.T) {
	srv := apitest.Start(t)
	for _, header := range []string{"", "Bearer wrong", "Basic d3Jvbmc6d3Jvbmc=", "nonsense"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/apps", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", header)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var got wire.Error
		if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || resp.StatusCode != http.StatusUnauthorized || got.ID != "unauthorized" {
			t.Errorf("Authorization %q = %d %+v, %v; want 401 unauthorized", header, resp.StatusCode, got, err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestReleasesShowSlugAndProcesses(t *testing.T) {
	srv := apitest.Start(t)
	var all []wire.Release
	if status := call(t, srv, http.MethodGet, "/apps/shop/releases", "", &all); status != http.StatusOK || len(all) != 1 {
		t.Fatalf("GET releases = %d, %+v; want one release", status, all)
	}
	rel := all[0]
	if rel.Version != 1 || !rel.Current || rel.Slug == nil || rel.Slug.Digest != "sha256:ab" || rel.Slug.Image != "host/shop:v1" || rel.Processes["web"] != "serve" {
		t.Errorf("release = %+v, want v1 of sha256:ab with web", rel)
	}
}

func TestAppIsCreatedWithARandomName(t *testing.T) {
	srv := apitest.Start(t)
	var app wire.App
	if status := call(t, srv, http.MethodPost, "/apps", `{}`, &app); status != http.StatusCreated {
		t.Fatalf("POST /apps = %d, want 201", status)
	}
	if err := state.CheckName(app.Name); err != nil {
		t.Errorf("the random name: %v", err)
	}
	if app.GitURL != "http://host/"+app.Name+".git" {
		t.Errorf("git_url = %q", app.GitURL)
	}
}
