package api_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"slipway/internal/api/apitest"
	"slipway/internal/wire"
)

const carolsCLI = `{"description": "Heroku CLI login\u001b from <b>desk</b>"}`

// begin begins a sign-in by browser.
func begin(t *testing.T, srv *apitest.Server) wire.Login {
	t.Helper()
	var begun wire.Login
	if code := as(t, srv, "").call("POST", "/auth", carolsCLI, &begun); code != http.StatusCreated || begun.Token == "" {
		t.Fatalf("POST /auth = %d %+v, want 201 and a token", code, begun)
	}
	return begun
}

// submit sends the form of the sign-in page, as a browser does.
func submit(t *testing.T, srv *apitest.Server, path, token string) (int, string) {
	t.Helper()
	body := url.Values{"token": {token}}.Encode()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth("kept", apitest.Token) // what a browser keeps must not count
	return do(t, req)
}

func do(t *testing.T, req *http.Request) (int, string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if csp := resp.Header.Get("Content-Security-Policy"); strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") && !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("%s has the policy %q, want one that loads nothing", req.URL.Path, csp)
	}
	return resp.StatusCode, string(text)
}

// await asks at the command line's address, and returns what it is told.
func await(t *testing.T, srv *apitest.Server, begun wire.Login) <-chan wire.LoginDone {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+begun.CLIURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+begun.Token)
	told := make(chan wire.LoginDone, 1)
	go func() {
		defer close(told)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Errorf("GET %s: %v", begun.CLIURL, err)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		var done wire.LoginDone
		if err := json.NewDecoder(resp.Body).Decode(&done); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("GET %s = %d, %v; want 200 and JSON", begun.CLIURL, resp.StatusCode, err)
			return
		}
		told <- done
	}()
	return told
}

func TestCommandLineIsSignedInByBrowser(t *testing.T) {
	srv := apitest.Start(t)
	carols := srv.AddUser(t, carol, false)
	begun := begin(t, srv)
	told := await(t, srv, begun)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+begun.BrowserURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if code, text := do(t, req); code != http.StatusOK || !strings.Contains(text, "&lt;b&gt;desk") || strings.Contains(text, "<b>") || !strings.Contains(text, "127.0.0.1") {
		t.Errorf("the page = %d %s, want who asks, as text", code, text)
	}
	for name, wrong := range map[string]string{"a wrong token": "wrong", "no token": ""} {
		if code, text := submit(t, srv, begun.BrowserURL, wrong); code != http.StatusUnauthorized || !strings.Contains(text, "unknown here") {
			t.Errorf("the form with %s = %d %s, want 401 and the form again", name, code, text)
		}
	}
	if code, text := submit(t, srv, begun.BrowserURL, " "+carols+"\n"); code != http.StatusOK || !strings.Contains(text, carol) {
		t.Fatalf("the form = %d %s, want 200 and whom it signs in", code, text)
	}
	done := <-told
	var account wire.Account
	if code := as(t, srv, done.AccessToken).call("GET", "/account", "", &account); code != http.StatusOK || account.Email != carol || done.AccessToken == carols {
		t.Errorf("GET /account with the token that the command line got = %d %+v, want carol by another token than hers", code, account)
	}
	if code, _ := submit(t, srv, begun.BrowserURL, carols); code != http.StatusNotFound {
		t.Errorf("the form again = %d, want 404", code)
	}
	as(t, srv, begun.Token).refused("GET", begun.CLIURL, "", 404, "heroku login")
}

func TestLoginIsItsCommandLinesOnly(t *testing.T) {
	srv := apitest.Start(t)
	begun := begin(t, srv)
	for _, wrong := range []string{"", "wrong", apitest.Token} {
		as(t, srv, wrong).refused("GET", begun.CLIURL, "", 404, "heroku login")
	}
	as(t, srv, begun.Token).refused("GET", "/auth/cli/none", "", 404, "heroku login")
	as(t, srv, begun.Token).refused("GET", "/account", "", 401, "")
}

func TestLoginEndsWhenTheServerStops(t *testing.T) {
	srv := apitest.Start(t)
	told := await(t, srv, begin(t, srv))
	srv.Stop()
	if done := <-told; done.AccessToken != "" || !strings.Contains(done.Error, "stops") {
		t.Errorf("a login when the server stops is told %+v, want why it ends", done)
	}
}

func TestWaitingLoginsAreBounded(t *testing.T) {
	srv := apitest.Start(t)
	for range 50 {
		begin(t, srv)
	}
	var got wire.Error
	if code := as(t, srv, "").call("POST", "/auth", carolsCLI, &got); code != http.StatusTooManyRequests || got.ID != "rate_limit" {
		t.Errorf("POST /auth, one too many = %d %+v, want 429 rate_limit", code, got)
	}
}
