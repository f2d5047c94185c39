package cli_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"slipway/internal/api/apitest"
	"slipway/internal/cli"
	"slipway/internal/wire"
)

// runAs runs a command line as somebody else than ann.
func runAs(t *testing.T, srv *apitest.Server, token string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	root := cli.New(cli.Config{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, URL: srv.URL, Token: token, ConfigDir: t.TempDir()})
	code := cli.Run(t.Context(), root, args)
	return result{code, out.String(), errs.String()}
}

func TestUserVerbs(t *testing.T) {
	srv := apitest.Start(t)
	root := srv.AddUser(t, "root@example.com", true)
	got := runAs(t, srv, root, "users:add", "carol@example.com")
	if got.code != 0 || !like(got.stdout, "Adding account carol@example.com... done\nToken: slipway-*\n") || !strings.Contains(got.stderr, "not shown again") {
		t.Fatalf("users:add = %+v, want a token and what to do with it", got)
	}
	token := strings.TrimSpace(strings.Split(got.stdout, "Token: ")[1])
	if got := runAs(t, srv, token, "whoami"); got.code != 0 || got.stdout != "carol@example.com\n" {
		t.Errorf("whoami = %+v, want carol@example.com", got)
	}
	if got := runAs(t, srv, token, "auth:token"); got.stdout != token+"\n" {
		t.Errorf("auth:token = %+v, want the token", got)
	}
	if got := runAs(t, srv, "", "auth:token"); got.code != 1 || !strings.Contains(got.stderr, "slipway login") {
		t.Errorf("auth:token without a sign-in = %+v, want what to do", got)
	}
	for _, c := range []struct {
		token, args    string
		stdout, stderr string
		code           int
	}{
		{root, "users", "Email              Role           Created at\n*\ncarol@example.com  user           TIME\nroot@example.com   administrator  TIME\n", "", 0},
		{token, "users", "", " !     Only administrators may do that: ask *\n", 1},
		{root, "users:add carol@example.com", "Adding account carol@example.com... !\n", " !     there is an account carol@example.com already: *\n", 1},
		{root, "users:add carol", "Adding account carol... !\n", " !     \"carol\" is no email address: *\n", 1},
		{root, "users:token carol@example.com", "Making a token for carol@example.com... done\nToken: slipway-*\n", "* ▸ *\n* ▸ *\n* ▸ *\n", 0},
		{root, "users:add", "", " !     * usage: slipway users:add EMAIL*\n", 2},
		{root, "users:remove carol@example.com", "Removing account carol@example.com... done\n", "", 0},
		{root, "users:remove carol@example.com", "Removing account carol@example.com... !\n", " !     *slipway users lists them\n", 1},
		{token, "whoami", "", " !     not signed in, *\n", 1},
	} {
		got := runAs(t, srv, c.token, strings.Fields(c.args)...)
		if got.code != c.code || !like(got.stdout, c.stdout) || !like(got.stderr, c.stderr) {
			t.Errorf("slipway %s = %+v, want %+v", c.args, got, c)
		}
	}
	var made wire.User
	got = runAs(t, srv, root, "users:add", "dave@example.com", "--admin", "--json")
	if err := json.Unmarshal([]byte(got.stdout), &made); err != nil || made.Token == "" || !made.Admin || got.stderr != "" {
		t.Errorf("users:add --json = %+v, want an administrator with a token", got)
	}
}

func TestAccessVerbs(t *testing.T) {
	srv := apitest.Start(t)
	carol := srv.AddUser(t, "carol@example.com", false)
	check(t, srv,
		step{args: "access:add carol@example.com -a shop", stdout: "Adding carol@example.com access to the app ⬢ shop... done\n"},
		step{args: "access -a shop", stdout: "Email              Role          Permissions\n*\nann@localhost      owner         deploy, manage, operate, view\ncarol@example.com  collaborator  deploy, operate, view\n"},
		step{args: "access:add eve@example.com -a shop", stdout: "Adding eve@example.com access to the app ⬢ shop... !\n", stderr: " !     *slipway users:add EMAIL\n", code: 1},
	)
	if got := runAs(t, srv, carol, "apps:destroy", "-a", "shop", "--confirm", "shop"); got.code != 1 || !strings.Contains(got.stderr, "Only the owner of the app shop may destroy it") {
		t.Errorf("apps:destroy by a collaborator = %+v, want a refusal", got)
	}
	check(t, srv, step{args: "access:remove carol@example.com -a shop", stdout: "Removing carol@example.com access from the app ⬢ shop... done\n"})
	if got := runAs(t, srv, carol, "access", "-a", "shop"); got.code != 1 || !strings.Contains(got.stderr, "You do not have access to the app shop") {
		t.Errorf("access by a stranger = %+v, want a refusal", got)
	}
}

func TestAuthorizationVerbs(t *testing.T) {
	srv := apitest.Start(t)
	carol := srv.AddUser(t, "carol@example.com", false)
	got := runAs(t, srv, carol, "authorizations:create", "-d", "laptop", "--expires-in", "3600")
	want := "Creating OAuth Authorization... done\nClient:      <none>\nID:          *\nDescription: laptop\nScope:       global\n" +
		"Token:       slipway-*\nExpires at:  TIME\nUpdated at:  TIME\n"
	if got.code != 0 || !like(got.stdout, want) {
		t.Fatalf("authorizations:create = %+v, want %s", got, want)
	}
	id := regexp.MustCompile(`ID: +(\S+)`).FindStringSubmatch(got.stdout)[1]
	short := strings.TrimSpace(runAs(t, srv, carol, "authorizations:create", "--short").stdout)
	if got := runAs(t, srv, short, "authorizations"); got.code != 0 || !strings.Contains(got.stdout, "laptop") || strings.Contains(got.stdout, short) {
		t.Errorf("authorizations = %+v, want a list without tokens", got)
	}
	if got := runAs(t, srv, carol, "authorizations:info", id); !like(got.stdout, "Client: *\n*\n*\n*\nToken:       slipway-***\nExpires at:*\nUpdated at:*\n") {
		t.Errorf("authorizations:info = %+v, want the token masked", got)
	}
	if got := runAs(t, srv, carol, "authorizations:rotate", id); got.code != 0 || !strings.Contains(got.stdout, "Token:") {
		t.Errorf("authorizations:rotate = %+v, want another token", got)
	}
	if got := runAs(t, srv, carol, "authorizations:create", "--expires-in", "soon"); got.code != 2 {
		t.Errorf("authorizations:create --expires-in soon = %+v, want wrong usage", got)
	}
	if got := runAs(t, srv, carol, "authorizations:revoke", id); got.stdout != "Revoking OAuth Authorization... done, revoked authorization from laptop\n" {
		t.Errorf("authorizations:revoke = %+v", got)
	}
	if got := runAs(t, srv, carol, "authorizations:revoke", id); got.code != 1 || !strings.Contains(got.stderr, "slipway authorizations lists them") {
		t.Errorf("authorizations:revoke again = %+v, want a refusal", got)
	}
}
