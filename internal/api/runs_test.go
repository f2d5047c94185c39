package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/apitest"
	"slipway/internal/dyno"
	"slipway/internal/state"
	"slipway/internal/wire"
)

// want calls the API and fails unless the status is the wanted one.
func want(t *testing.T, srv *apitest.Server, status int, route, body string, answer any) {
	t.Helper()
	method, path, _ := strings.Cut(route, " ")
	if got := call(t, srv, method, path, body, answer); got != status {
		t.Fatalf("%s = %d %+v, want %d", route, got, answer, status)
	}
}

func TestConfigVarsAreSetAndRemoved(t *testing.T) {
	srv := apitest.Start(t)
	var vars map[string]string
	want(t, srv, 200, "GET /apps/bare/config-vars", "", &vars)
	if vars == nil || len(vars) != 0 {
		t.Errorf("config of an app without a release = %v, want {}", vars)
	}
	want(t, srv, 200, "PATCH /apps/shop/config-vars", `{"A": "1", "B": "two"}`, &vars)
	vars = nil
	want(t, srv, 200, "PATCH /apps/shop/config-vars", `{"A": null, "C": ""}`, &vars)
	got := vars
	vars = nil
	want(t, srv, 200, "GET /apps/shop/config-vars", "", &vars)
	if fmt.Sprint(got) != "map[B:two C:]" || fmt.Sprint(vars) != "map[B:two C:]" {
		t.Errorf("config after two changes = %v, then %v; want B and C", got, vars)
	}
	want(t, srv, 200, "PATCH /apps/bare/config-vars", `{"A": "1"}`, &vars)
	var all []map[string]any
	want(t, srv, 200, "GET /apps/bare/releases", "", &all)
	if slug, shown := all[0]["slug"]; !shown || slug != nil {
		t.Errorf("the slug of a release without a push = %v, want null", slug)
	}
}

func TestConfigVarsAreNowhereElse(t *testing.T) {
	srv := apitest.Start(t)
	const secret = "hunter2-hunter2"
	var vars map[string]string
	want(t, srv, 200, "PATCH /apps/shop/config-vars", `{"A": "`+secret+`"}`, &vars)
	srv.Deploys.Refuse = errors.New("the disk is full")
	for _, body := range []string{`{"A": "` + secret + `"}`, `{"A=": "` + secret + `"}`, `{"A": ["` + secret + `"]}`, `{"A": "` + secret + "\x01" + `"}`} {
		var failed wire.Error
		if status := call(t, srv, "PATCH", "/apps/shop/config-vars", body, &failed); status < 400 || strings.Contains(failed.Message, secret) {
			t.Errorf("PATCH %s = %d %+v, want an error without the value", body, status, failed)
		}
	}
	for _, path := range []string{"/apps/shop/releases", "/apps/shop/audit", "/apps/shop/releases/2", "/apps/shop"} {
		var answer any
		want(t, srv, 200, "GET "+path, "", &answer)
		if strings.Contains(fmt.Sprint(answer), secret) {
			t.Errorf("GET %s shows a config var", path)
		}
	}
	if len(srv.Log.All()) == 0 {
		t.Error("the server's own error was not logged")
	}
	for _, entry := range srv.Log.All() {
		if strings.Contains(fmt.Sprint(entry.Message, entry.ContextMap()), secret) {
			t.Errorf("the log has a config var: %v", entry)
		}
	}
}

func TestErrorsOfTheLowerPartsHaveAStatus(t *testing.T) {
	srv := apitest.Start(t)
	for _, c := range []struct {
		err    error
		status int
		text   string
	}{
		{dyno.ErrQuota, 402, "spent"},
		{dyno.ErrLimit, 422, "ps:stop"},
		{dyno.ErrNoSlug, 422, "git push"},
		{dyno.ErrClosed, 503, "stopping"},
		{fmt.Errorf("shop: %w", state.ErrMoved), 409, "newer release"},
		{fmt.Errorf("the release command failed: %w", state.ErrInvalid), 422, "the release command failed"},
		{errors.New("a bug with /etc/secret in it"), 500, "internal error, request"},
	} {
		srv.Dynos.Refuse = c.err
		var failed wire.Error
		if status := call(t, srv, "POST", "/apps/shop/dynos", `{"command": "ls"}`, &failed); status != c.status || !strings.Contains(failed.Message, c.text) {
			t.Errorf("%v = %d %+v, want %d with %q", c.err, status, failed, c.status, c.text)
		}
	}
}

func TestPartsThatAreMissingSaySo(t *testing.T) {
	srv := apitest.Start(t, func(cfg *api.Config) {
		cfg.Dynos, cfg.Deploys, cfg.Logs, cfg.Settings, cfg.Domains, cfg.Certs, cfg.Drains = nil, nil, nil, nil, nil, nil, nil
	})
	for _, route := range []string{
		"PATCH /apps/shop", "GET /apps/shop/audit", "GET /apps/shop/quota",
		"PATCH /apps/shop/config-vars", "POST /apps/shop/releases",
		"GET /apps/shop/formation", "PATCH /apps/shop/formation", "GET /apps/shop/formation/web", "PATCH /apps/shop/formation/web",
		"GET /apps/shop/dynos", "POST /apps/shop/dynos", "GET /apps/shop/dynos/web.1", "GET /apps/shop/dynos/web.1/attach",
		"DELETE /apps/shop/dynos", "DELETE /apps/shop/dynos/web.1", "DELETE /apps/shop/formations/web",
		"POST /apps/shop/dynos/web.1/actions/stop", "POST /apps/shop/formations/web/actions/stop",
		"POST /apps/shop/log-sessions", "GET /apps/shop/domains", "POST /apps/shop/domains", "DELETE /apps/shop/domains/a.b",
		"GET /apps/shop/sni-endpoints", "POST /apps/shop/sni-endpoints", "DELETE /apps/shop/sni-endpoints/a",
		"GET /apps/shop/log-drains", "POST /apps/shop/log-drains", "DELETE /apps/shop/log-drains/a",
	} {
		method, path, _ := strings.Cut(route, " ")
		var failed wire.Error
		if status := call(t, srv, method, path, "{}", &failed); status != 501 || failed.ID != "not_implemented" || failed.Message == "" {
			t.Errorf("%s = %d %+v, want 501 not_implemented", route, status, failed)
		}
	}
}

func TestFormationIsScaled(t *testing.T) {
	srv := apitest.Start(t)
	var all []wire.Formation
	want(t, srv, 200, "GET /apps/shop/formation", "", &all)
	if len(all) != 3 || all[0].Type != "web" || all[0].Quantity != 1 || all[0].Command != "serve" || all[1].Quantity != 0 || all[2].Quantity != 0 {
		t.Fatalf("formation after the first release = %+v, want web 1, worker 0 and release 0", all)
	}
	want(t, srv, 200, "PATCH /apps/shop/formation", `{"updates": [{"type": "worker", "quantity": 3}, {"type": "web", "quantity": "+1", "size": "standard"}]}`, &all)
	if len(all) != 2 || all[0].Type != "worker" || all[0].Quantity != 3 || all[1].Quantity != 2 {
		t.Errorf("PATCH of two = %+v, want worker 3 and web 2, as asked", all)
	}
	var one wire.Formation
	want(t, srv, 200, "PATCH /apps/shop/formation/worker", `{"quantity": "-9"}`, &one)
	if one.Type != "worker" || one.Quantity != 0 {
		t.Errorf("worker-9 = %+v, want 0", one)
	}
	want(t, srv, 200, "GET /apps/shop/formation/web", "", &one)
	if one.Quantity != 2 {
		t.Errorf("web = %+v, want 2", one)
	}
	var failed wire.Error
	want(t, srv, 404, "PATCH /apps/shop/formation/clock", `{"quantity": 1}`, &failed)
	if !strings.HasPrefix(failed.Message, "Couldn't find that process type.") || !strings.Contains(failed.Message, "web, worker") {
		t.Errorf("scaling a missing type says %q", failed.Message)
	}
}

func TestScalingAtOnceCountsAll(t *testing.T) {
	srv := apitest.Start(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			var one wire.Formation
			if status := call(t, srv, "PATCH", "/apps/shop/formation/worker", `{"quantity": "+1"}`, &one); status != 200 {
				t.Errorf("worker+1 = %d, want 200", status)
			}
		})
	}
	all.Wait()
	var one wire.Formation
	want(t, srv, 200, "GET /apps/shop/formation/worker", "", &one)
	if one.Quantity != 8 {
		t.Errorf("eight times worker+1 = %d, want 8", one.Quantity)
	}
}

func TestDynosAreListedRestartedAndStopped(t *testing.T) {
	srv := apitest.Start(t)
	since := time.Now().Add(-time.Minute).UTC()
	const id = "11111111-1111-4111-8111-111111111111"
	srv.Dynos.Add(dyno.Dyno{ID: id, App: "shop", Name: "web.1", Type: "web", Command: "serve", State: dyno.Up, Since: since, Release: 1})
	var all []wire.Dyno
	want(t, srv, 200, "GET /apps/shop/dynos", "", &all)
	if len(all) != 1 || all[0].Name != "web.1" || all[0].State != "up" || all[0].Release.Version != 1 || !all[0].UpdatedAt.Equal(since) {
		t.Errorf("dynos = %+v, want web.1", all)
	}
	for _, id := range []string{id, "web.1"} {
		var one wire.Dyno
		want(t, srv, 200, "GET /apps/shop/dynos/"+id, "", &one)
		if one.Name != "web.1" || one.AttachURL != nil {
			t.Errorf("dyno %s = %+v, want web.1 without an address to attach to", id, one)
		}
	}
	for _, route := range []string{
		"DELETE /apps/shop/dynos", "DELETE /apps/shop/dynos/web.1", "DELETE /apps/shop/dynos/" + id, "DELETE /apps/shop/formations/web",
		"POST /apps/shop/dynos/" + id + "/actions/stop", "POST /apps/shop/formations/web/actions/stop",
	} {
		var nothing struct{}
		want(t, srv, http.StatusAccepted, route, "", &nothing)
	}
	wanted := []string{"restart ", "restart web.1", "restart web.1", "restart web", "stop web.1", "stop web"}
	if got := srv.Dynos.Done(); !slices.Equal(got, wanted) {
		t.Errorf("done = %q, want %q", got, wanted)
	}
}

func TestOneOffDynosAreCreated(t *testing.T) {
	srv := apitest.Start(t)
	for _, c := range []struct {
		name, body string
		want       dyno.OneOff
		attach     bool
	}{
		{"detached", `{"command": "ls"}`, dyno.OneOff{Command: "ls"}, false},
		{
			"with a terminal",
			`{"command": "bash", "attach": true, "size": "eco", "type": "run", "env": {"COLUMNS": "100", "LINES": "30", "TERM": "xterm"}}`,
			dyno.OneOff{Command: "bash", Attach: true, TTY: true, Size: dyno.Size{Columns: 100, Rows: 30}, Env: map[string]string{"TERM": "xterm"}},
			true,
		},
		{
			"without a terminal",
			`{"command": "cat", "attach": true, "force_no_tty": true, "env": {"COLUMNS": "wide"}}`,
			dyno.OneOff{Command: "cat", Attach: true, Env: map[string]string{"COLUMNS": "wide"}},
			true,
		},
		{
			"with a terminal of nonsense",
			`{"command": "cat", "attach": true, "force_no_tty": null, "env": {"COLUMNS": "-1", "LINES": "99999"}}`,
			dyno.OneOff{Command: "cat", Attach: true, TTY: true, Env: map[string]string{}},
			true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var one wire.Dyno
			want(t, srv, http.StatusCreated, "POST /apps/shop/dynos", c.body, &one)
			all := srv.Dynos.OneOffs()
			if got := all[len(all)-1]; fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("POST %s asks for %+v, want %+v", c.body, got, c.want)
			}
			address := "ws" + strings.TrimPrefix(srv.URL, "http") + "/apps/shop/dynos/" + one.Name + "/attach"
			if c.attach != (one.AttachURL != nil) || (c.attach && *one.AttachURL != address) {
				t.Errorf("attach_url = %v, want %s: %t", one.AttachURL, address, c.attach)
			}
		})
	}
}

func TestRollback(t *testing.T) {
	srv := apitest.Start(t)
	var first, rel wire.Release
	want(t, srv, 200, "GET /apps/shop/releases/1", "", &first)
	var vars map[string]string
	want(t, srv, 200, "PATCH /apps/shop/config-vars", `{"A": "1"}`, &vars)
	want(t, srv, http.StatusCreated, "POST /apps/shop/releases", `{"release": "v1"}`, &rel)
	if rel.Version != 3 || !rel.Current || rel.Slug == nil || rel.Description != "Rollback to v1" {
		t.Errorf("rollback to v1 = %+v, want v3", rel)
	}
	vars = nil
	want(t, srv, 200, "GET /apps/shop/config-vars", "", &vars)
	if len(vars) != 0 {
		t.Errorf("config after the rollback = %v, want none", vars)
	}
	want(t, srv, http.StatusCreated, "POST /apps/shop/releases", `{"release": "`+first.ID+`"}`, &rel)
	if rel.Version != 4 || rel.Description != "Rollback to v1" {
		t.Errorf("rollback to the ID of v1 = %+v, want v4", rel)
	}
	var all []wire.Release
	want(t, srv, 200, "GET /apps/shop/releases?limit=2", "", &all)
	if len(all) != 2 || all[0].Version != 4 || !all[0].Current || all[1].Current {
		t.Errorf("two releases = %+v, want v4 and v3", all)
	}
	want(t, srv, 200, "GET /apps/shop/releases/"+first.ID, "", &rel)
	if rel.Version != 1 {
		t.Errorf("release %s = %+v, want v1", first.ID, rel)
	}
}

func TestQuotaIsInSeconds(t *testing.T) {
	srv := apitest.Start(t)
	srv.Dynos.Hours = dyno.Quota{Limit: 550 * time.Hour, Used: 90 * time.Minute, App: time.Hour}
	var q wire.Quota
	want(t, srv, 200, "GET /apps/shop/quota", "", &q)
	if q != (wire.Quota{Quota: 1980000, Used: 5400, App: 3600}) {
		t.Errorf("quota = %+v", q)
	}
}
