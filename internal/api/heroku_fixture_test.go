package api_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/internal/api/apitest"
	"slipway/internal/dyno"
	"slipway/internal/logs"
	"slipway/internal/state"
)

// A fixture is a server with an app shop that has one of everything, and a
// folder to run commands in.
type fixture struct {
	srv  *apitest.Server
	dir  string            // a git repository, with a Procfile, a certificate and SSH keys
	vars map[string]string // what $NAME stands for in the table
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{srv: apitest.Start(t), dir: t.TempDir(), vars: map[string]string{"TOKEN": apitest.Token}}
	chain, key := apitest.Cert(t)
	f.fillApp(t, chain, key)
	files := map[string]string{
		"chain.pem": chain, "key.pem": key, "key.pub": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8cLAvDBYqSOBUnGgkkvMzwjXTBDPMNhgLCzJj7kyMu bob@home\n",
		"Procfile": "web: echo hello from local\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.CommandContext(t.Context(), "git", "init", "-q", "-b", "main", f.dir).CombinedOutput(); err != nil {
		t.Fatalf("git init: %v\n%s", err, out)
	}
	return f
}

// newHome makes a home where somebody has used the command line before.
func newHome(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	for name, text := range map[string]string{
		".config/heroku/accounts/two":    ":username: bob@example.com\n:password: a-token\n",
		".cache/heroku/terms-of-service": "",
	} {
		path := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return home
}

// fillApp gives the app shop all that commands ask for.
func (f *fixture) fillApp(t *testing.T, chain, key string) {
	t.Helper()
	f.vars["TOKEN"] = f.srv.AddUser(t, "dora@example.com", true)
	f.srv.AddUser(t, "bob@example.com", false)
	f.srv.AddUser(t, "eve@example.com", false)
	for _, email := range []string{"bob", "dora"} {
		f.add(t, "POST /apps/shop/collaborators", `{"user": "`+email+`@example.com"}`)
	}
	f.srv.Dynos.Add(
		dyno.Dyno{ID: "11111111-1111-4111-8111-111111111111", App: "shop", Name: "web.1", Type: "web", Command: "serve", State: dyno.Up, Since: time.Now(), Release: 2},
		dyno.Dyno{ID: "22222222-2222-4222-8222-222222222222", App: "shop", Name: "worker.1", Type: "worker", Command: "work", State: dyno.Up, Since: time.Now(), Release: 2},
	)
	f.srv.Logs.Append(logs.Line{At: time.Now(), Source: "app", Dyno: "web.1", Text: "hello from the log"})
	f.add(t, "PATCH /apps/shop/config-vars", `{"GREETING": "hello"}`)
	f.add(t, "POST /apps/shop/domains", `{"hostname": "www.example.com", "sni_endpoint": null}`)
	f.add(t, "POST /apps/shop/log-drains", `{"url": "https://logs.example.com/"}`)
	if err := f.srv.Store.SetBuildpacks(t.Context(), state.Actor{User: "ann"}, "shop", []string{"slipway/python", "slipway/nodejs"}); err != nil {
		t.Fatal(err)
	}
	f.add(t, "POST /account/keys", `{"public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKPyTnzDRdbSMWKZzTy0GHNYIUfUMBAvN0oxWpEYE3Ac ann@home"}`)
	token := f.add(t, "POST /oauth/authorizations", `{"description": "ci", "scope": ["global"]}`)
	f.vars["AUTHORIZATION"], _ = token["id"].(string)
	cert := f.add(t, "POST /apps/shop/sni-endpoints", `{"certificate_chain": `+quote(chain)+`, "private_key": `+quote(key)+`}`)
	f.vars["CERT"], _ = cert["name"].(string)
}

// add makes something, and returns it.
func (f *fixture) add(t *testing.T, request, body string) map[string]any {
	t.Helper()
	method, path, _ := strings.Cut(request, " ")
	made := map[string]any{}
	if status := as(t, f.srv, f.vars["TOKEN"]).call(method, path, body, &made); status >= http.StatusMultipleChoices {
		t.Fatalf("%s = %d %v", request, status, made)
	}
	return made
}

// expand puts values in the place of $NAME.
func (f *fixture) expand(text string) string {
	for name, value := range f.vars {
		text = strings.ReplaceAll(text, "$"+name, value)
	}
	return text
}

func quote(pem string) string { return `"` + strings.ReplaceAll(pem, "\n", `\n`) + `"` }
