package api_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/apitest"
	"slipway/internal/logs"
	"slipway/internal/wire"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func line(source, dyno, text string) logs.Line {
	return logs.Line{At: noon, Source: source, Dyno: dyno, Text: text}
}

// openLog makes a log session and opens its stream, without a sign-in.
func openLog(t *testing.T, srv *apitest.Server, body, accept string) reply {
	t.Helper()
	var session wire.LogSession
	want(t, srv, http.StatusCreated, "POST /apps/shop/log-sessions", body, &session)
	return get(t, session.URL, accept)
}

type reply struct {
	status int
	kind   string
	body   *bufio.Reader
}

func get(t *testing.T, address, accept string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return reply{resp.StatusCode, resp.Header.Get("Content-Type"), bufio.NewReader(resp.Body)}
}

func text(t *testing.T, r reply) string {
	t.Helper()
	raw, err := io.ReadAll(r.body)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestLogSessionsShowTheLinesAskedFor(t *testing.T) {
	srv := apitest.Start(t)
	srv.Logs.Append(line("app", "web.1", "one"), line("slipway", "router", "two"), line("app", "worker.1", "three"), line("app", "web.2", "four"))
	const at = "2026-11-25T12:00:00.000000+00:00 "
	for _, c := range []struct{ name, body, want string }{
		{"all", `{}`, at + "app[web.1]: one\n" + at + "slipway[router]: two\n" + at + "app[worker.1]: three\n" + at + "app[web.2]: four\n"},
		{"the last one", `{"lines": 1}`, at + "app[web.2]: four\n"},
		{"none", `{"lines": 0}`, ""},
		{"more than are kept", `{"lines": 99999, "source": "heroku"}`, at + "slipway[router]: two\n"},
		{"of a type", `{"dyno": "web"}`, at + "app[web.1]: one\n" + at + "app[web.2]: four\n"},
		{"of a dyno, as Heroku's client says now", `{"dyno_name": "web.2", "source": "app"}`, at + "app[web.2]: four\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp := openLog(t, srv, c.body, "")
			if got := text(t, resp); got != c.want || resp.status != 200 || !strings.HasPrefix(resp.kind, "text/plain") {
				t.Errorf("log session %s = %d %q, want %q", c.body, resp.status, got, c.want)
			}
		})
	}
	t.Run("as events", func(t *testing.T) {
		resp := openLog(t, srv, `{"lines": 2}`, "text/event-stream")
		want := "id: 1\ndata: " + at + "app[worker.1]: three\n\nid: 2\ndata: " + at + "app[web.2]: four\n\n"
		if got := text(t, resp); got != want {
			t.Errorf("log session as events = %q, want %q", got, want)
		}
	})
}

func TestLogSessionIsReadOnce(t *testing.T) {
	srv := apitest.Start(t)
	var session wire.LogSession
	want(t, srv, http.StatusCreated, "POST /apps/shop/log-sessions", `{}`, &session)
	if other := get(t, strings.Replace(session.URL, "/shop/", "/bare/", 1), ""); other.status != 404 {
		t.Errorf("the session of another app = %d, want 404", other.status)
	}
	for _, status := range []int{200, 404} {
		if resp := get(t, session.URL, ""); resp.status != status {
			t.Errorf("GET of the session = %d, want %d", resp.status, status)
		}
	}
}

func TestTooManyLogSessionsDropTheOldest(t *testing.T) {
	srv := apitest.Start(t)
	var first, session wire.LogSession
	want(t, srv, http.StatusCreated, "POST /apps/shop/log-sessions", `{}`, &first)
	for range 1000 {
		want(t, srv, http.StatusCreated, "POST /apps/shop/log-sessions", `{}`, &session)
	}
	if resp := get(t, first.URL, ""); resp.status != 404 {
		t.Errorf("GET of the oldest of 1001 sessions = %d, want 404", resp.status)
	}
	if resp := get(t, session.URL, ""); resp.status != 200 {
		t.Errorf("GET of the newest of 1001 sessions = %d, want 200", resp.status)
	}
}

func TestTailGoesOnUntilTheServerStops(t *testing.T) {
	srv := apitest.Start(t)
	srv.Logs.Append(line("app", "web.1", "before"))
	resp := openLog(t, srv, `{"tail": true}`, "")
	for _, want := range []string{"before", "after 1", "after 2"} {
		if got, err := resp.body.ReadString('\n'); err != nil || !strings.HasSuffix(got, ": "+want+"\n") {
			t.Fatalf("tail = %q, %v; want %q", got, err, want)
		}
		if n := 0; want != "after 2" {
			if want == "after 1" {
				n = 1
			}
			srv.Logs.Append(line("app", "web.1", fmt.Sprintf("after %d", n+1)))
		}
	}
	srv.Stop()
	if rest := text(t, resp); rest != "" {
		t.Errorf("after the server's stop come %q", rest)
	}
}

func TestLogThatBreaksSaysSo(t *testing.T) {
	srv := apitest.Start(t, func(cfg *api.Config) { cfg.URL = "http://example.com/" })
	srv.Logs.Append(line("app", "web.1", "one"))
	srv.Logs.Break(errors.New("input/output error in /var/secret"))
	var session wire.LogSession
	want(t, srv, http.StatusCreated, "POST /apps/shop/log-sessions", `{}`, &session)
	path, found := strings.CutPrefix(session.URL, "http://example.com/apps/")
	if !found {
		t.Fatalf("logplex_url = %q, want one at the server's own address", session.URL)
	}
	got := text(t, get(t, srv.URL+"/apps/"+path, ""))
	if !strings.Contains(got, "one\n") || !strings.Contains(got, "slipway[logs]: Error: ") || strings.Contains(got, "secret") {
		t.Errorf("a log that breaks = %q, want a line that says so", got)
	}
}
