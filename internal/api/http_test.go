package api_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"slipway/internal/api"
	"slipway/internal/api/apitest"
)

// An answered request.
type answered struct {
	status int
	header http.Header
	body   string
}

// ask sends a request that is signed in, with some headers more.
func ask(t *testing.T, srv *apitest.Server, request, body string, header ...string) answered {
	t.Helper()
	method, path, _ := strings.Cut(request, " ")
	req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+apitest.Token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req) // which follows no redirects
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{resp.StatusCode, resp.Header, string(raw)}
}

func TestRequestIDsComeBack(t *testing.T) {
	srv := apitest.Start(t)
	for given, want := range map[string]string{
		"":                        "",
		"mine":                    ",mine",
		"a, b":                    ",a,b",
		"bad id, good":            ",good",
		strings.Repeat("x", 129):  "",
		strings.Repeat("i,", 100): strings.Repeat(",i", 8),
	} {
		got := ask(t, srv, "GET /account", "", "Request-Id", given).header.Get("Request-Id")
		if len(got) < 36 || got[36:] != want {
			t.Errorf("Request-Id %.40q comes back as %q, want one of the server's and then %q", given, got, want)
		}
	}
}

func TestUnchangedAnswersAreNotSentAgain(t *testing.T) {
	srv := apitest.Start(t)
	first := ask(t, srv, "GET /apps/shop", "")
	tag := first.header.Get("ETag")
	for header, status := range map[string]int{
		tag: 304, "W/" + tag: 304, `"other", ` + tag: 304, "*": 304, `"other"`: 200, "": 200,
	} {
		got := ask(t, srv, "GET /apps/shop", "", "If-None-Match", header)
		if got.status != status || (got.body == "") != (status == 304) || got.header.Get("ETag") != tag {
			t.Errorf("If-None-Match %s = %d with %d bytes and ETag %s, want %d", header, got.status, len(got.body), got.header.Get("ETag"), status)
		}
	}
	if got := ask(t, srv, "PATCH /apps/shop", `{"idle_timeout": "3h"}`, "If-None-Match", "*"); got.status != 200 || got.header.Get("ETag") != "" {
		t.Errorf("PATCH = %d with ETag %q, want it done and no tag", got.status, got.header.Get("ETag"))
	}
	if got := ask(t, srv, "GET /apps/shop", "", "If-None-Match", tag); got.status != 200 {
		t.Errorf("GET of what has changed = %d, want 200", got.status)
	}
}

func TestSecretsAreNotCached(t *testing.T) {
	srv := apitest.Start(t)
	for request, want := range map[string]string{
		"GET /apps/shop": "private, no-cache", "GET /apps/shop/config-vars": "private, no-store", "POST /apps/shop/log-sessions": "private, no-store",
	} {
		body := ""
		if strings.HasPrefix(request, "POST") {
			body = "{}"
		}
		if got := ask(t, srv, request, body); got.header.Get("Cache-Control") != want {
			t.Errorf("%s has Cache-Control %q, want %q", request, got.header.Get("Cache-Control"), want)
		}
	}
}

func TestVersionsOfTheAPI(t *testing.T) {
	srv := apitest.Start(t)
	for accept, status := range map[string]int{
		"":                                       200,
		"*/*":                                    200,
		"application/vnd.heroku+json; version=3": 200,
		"application/vnd.heroku+json; version=3.sdk":  200,
		"application/vnd.heroku+json":                 200,
		"application/json":                            200,
		"application/vnd.heroku+json; version=2":      406,
		"application/vnd.heroku+json; version=30":     406,
		"application/vnd.heroku+json; version=edge":   406,
		"application/vnd.heroku+json; version=4, */*": 200,
		"nonsense; =": 200,
		"application/vnd.heroku+json; version=2; q=\"\xff\"": 406,
	} {
		got := ask(t, srv, "GET /account", "", "Accept", accept)
		if got.status != status || (status == 406 && !strings.Contains(got.body, "version=3")) {
			t.Errorf("Accept %q = %d %s, want %d", accept, got.status, got.body, status)
		}
	}
}

func TestAddressesAreTidied(t *testing.T) {
	srv := apitest.Start(t)
	for _, path := range []string{"/apps/shop/", "//apps//shop", "/apps/x/../shop", "/apps/./shop", "/apps/sh%6Fp"} {
		if got := ask(t, srv, "GET "+path, ""); got.status != 200 || !strings.Contains(got.body, `"shop"`) {
			t.Errorf("GET %s = %d %.80s, want the app", path, got.status, got.body)
		}
	}
	if got := ask(t, srv, "GET /apps/..%2Faccount", ""); got.status != 404 {
		t.Errorf("GET /apps/..%%2Faccount = %d, want 404", got.status)
	}
}

func TestHeadAndMethods(t *testing.T) {
	srv := apitest.Start(t)
	got := ask(t, srv, "HEAD /apps/shop", "")
	if got.status != 200 || got.body != "" || got.header.Get("ETag") == "" {
		t.Errorf("HEAD = %d %q with ETag %q, want what GET has but the body", got.status, got.body, got.header.Get("ETag"))
	}
	if got := ask(t, srv, "PUT /apps/shop", "{}"); got.status != 405 || !strings.HasPrefix(got.header.Get("Allow"), "GET, HEAD") {
		t.Errorf("PUT = %d with Allow %q, want 405 and the methods that there are", got.status, got.header.Get("Allow"))
	}
}

func TestPagesOfOtherSitesChangeNothing(t *testing.T) {
	srv := apitest.Start(t)
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
		if got := ask(t, srv, "DELETE /apps/shop/dynos", "", header...); got.status != 403 || !strings.Contains(got.body, "forbidden") {
			t.Errorf("DELETE with %q = %d %s, want 403", header, got.status, got.body)
		}
	}
	if done := srv.Dynos.Done(); len(done) != 0 {
		t.Errorf("done = %q, want nothing", done)
	}
}

func TestAppsAreFoundByID(t *testing.T) {
	srv := apitest.Start(t)
	app, err := srv.Store.App(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	for id, status := range map[string]int{app.ID: 200, strings.ToUpper(app.ID): 200, "01234567-89ab-cdef-0123-456789abcdef": 404} {
		if got := ask(t, srv, "GET /apps/"+id+"/formation", ""); got.status != status {
			t.Errorf("GET of app %s = %d %s, want %d", id, got.status, got.body, status)
		}
	}
}

func TestRateLimit(t *testing.T) {
	srv := apitest.Start(t, func(cfg *api.Config) { cfg.APIRate = 3 })
	for left := 2; left >= 0; left-- {
		got := ask(t, srv, "GET /account", "")
		if shown := got.header.Get("RateLimit-Remaining"); got.status != 200 || shown != fmt.Sprint(left) {
			t.Errorf("request = %d with %s left, want %d left", got.status, shown, left)
		}
	}
	got := ask(t, srv, "GET /apps", "")
	if got.status != 429 || !strings.Contains(got.body, `"rate_limit"`) || got.header.Get("Retry-After") != "1200" {
		t.Errorf("one more = %d %s with Retry-After %q, want 429 for 1200 s", got.status, got.body, got.header.Get("Retry-After"))
	}
	if got := ask(t, srv, "GET /account/rate-limits", ""); got.status != 200 || got.body != "{\"remaining\":0}\n" {
		t.Errorf("GET /account/rate-limits = %d %s, want none remaining", got.status, got.body)
	}
	token := srv.AddUser(t, "bob@example.com", false)
	if got := ask(t, srv, "GET /account", "", "Authorization", "Bearer "+token); got.status != 200 {
		t.Errorf("another user's request = %d, want 200", got.status)
	}
}

func TestPagesOfTheServersOwnAddressMayChangeThings(t *testing.T) {
	srv := apitest.Start(t, func(cfg *api.Config) { cfg.URL = "https://paas.example/" })
	if got := ask(t, srv, "PATCH /apps/shop", `{"idle_timeout": "1h"}`, "Origin", "https://paas.example"); got.status != 200 {
		t.Errorf("PATCH from the server's own address = %d %s, want 200", got.status, got.body)
	}
}
