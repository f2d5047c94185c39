package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/state"
	"slipway/internal/state/sqlite"
	"slipway/internal/state/statetest"
	"slipway/internal/wire"
)

const token = "a-token-that-is-good"

// newServer serves the API over a real store with one app, shop, and one release.
func newServer(t *testing.T) *httptest.Server {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), statetest.Sealer(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.CreateApp(t.Context(), state.Actor{User: "ann"}, state.App{Name: "shop", Owner: "ann", Created: time.Now()}); err != nil {
		t.Fatal(err)
	}
	rel := state.Release{App: "shop", Slug: "sha256:ab", Commit: "cd", Processes: []state.Process{{Type: "web", Command: "run"}}, Created: time.Now()}
	if _, err := store.AddRelease(t.Context(), state.Actor{User: "ann"}, rel, 0); err != nil {
		t.Fatal(err)
	}
	handler, _ := api.New(api.Config{
		Apps: store, Keys: store, Destroy: store.DeleteApp,
		SignIn: func(_ context.Context, given string) (string, error) {
			if given != token {
				return "", errors.New("unknown token")
			}
			return "ann", nil
		},
		GitURL:    func(app string) string { return "http://host/" + app + ".git" },
		WebURL:    func(app string) string { return "http://" + app + ".host" },
		ImageName: func(app string, rel state.Release) string { return "host/" + app + ":" + rel.Tag() },
	})
	srv := httptest.NewServer(handler)
	t.Cleanup(func() {
		srv.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return srv
}

func call(t *testing.T, srv *httptest.Server, method, path, body string, answer any) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	resp, err := srv.Client().Do(req)
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
	srv := newServer(t)
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		id                       string
	}{
		{"a missing app", "GET", "/apps/shed", "", 404, "not_found"},
		{"releases of a missing app", "GET", "/apps/shed/releases", "", 404, "not_found"},
		{"a missing release", "GET", "/apps/shop/releases/9", "", 404, "not_found"},
		{"a release that is no number", "GET", "/apps/shop/releases/x", "", 404, "not_found"},
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
	srv := newServer(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/apps", strings.NewReader(`{"name": "shop2"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "text/plain")
	resp, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("POST of text/plain = %d, want 422", resp.StatusCode)
	}
}

func TestWrongTokenIsUnauthorized(t *testing.T) {
	srv := newServer(t)
	for _, header := range []string{"", "Bearer wrong", "Basic d3Jvbmc6d3Jvbmc=", "nonsense"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/apps", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", header)
		resp, err := srv.Client().Do(req)
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
	srv := newServer(t)
	var all []wire.Release
	if status := call(t, srv, http.MethodGet, "/apps/shop/releases", "", &all); status != http.StatusOK || len(all) != 1 {
		t.Fatalf("GET releases = %d, %+v; want one release", status, all)
	}
	rel := all[0]
	if rel.Version != 1 || !rel.Current || rel.Slug.ID != "sha256:ab" || rel.Slug.Image != "host/shop:v1" || rel.Processes["web"] != "run" {
		t.Errorf("release = %+v, want v1 of sha256:ab with web", rel)
	}
}

func TestAppIsCreatedWithARandomName(t *testing.T) {
	srv := newServer(t)
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
