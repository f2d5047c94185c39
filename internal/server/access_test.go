package server

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"slipway/gitserver"
	"slipway/internal/state"
	"slipway/internal/state/sqlite"
	"slipway/internal/state/sqlstore"
	"slipway/internal/state/statetest"
	"slipway/slugs"
)

const (
	carol = "carol@example.com"
	dave  = "dave@example.com"
	root  = "root@example.com"
)

var admin = state.Actor{User: state.AdminUser}

// doorsOf makes what guards the doors, over a store with carol, who owns shop, dave and
// an administrator. Each has a token, which is their email.
func doorsOf(t *testing.T) (*access, *sqlstore.Store) {
	t.Helper()
	dir := t.TempDir()
	store, err := sqlite.Open(t.Context(), filepath.Join(dir, "state.db"), statetest.Sealer(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, email := range []string{carol, dave, root} {
		if _, err := store.AddAccount(t.Context(), admin, email, email == root); err != nil {
			t.Fatal(err)
		}
		addToken(t, store, state.Token{User: email, Hash: state.HashToken(email)})
	}
	if _, err := store.CreateApp(t.Context(), admin, state.App{Name: "shop", Owner: carol}); err != nil {
		t.Fatal(err)
	}
	who, err := newAccess(dir, store)
	if err != nil {
		t.Fatal(err)
	}
	return who, store
}

func addToken(t *testing.T, store *sqlstore.Store, token state.Token) {
	t.Helper()
	if _, err := store.AddToken(t.Context(), admin, token); err != nil {
		t.Fatal(err)
	}
}

func TestTokensSignIn(t *testing.T) {
	t.Parallel()
	who, store := doorsOf(t)
	first, err := os.ReadFile(filepath.Join(filepath.Dir(who.authorizedKeys), "admin-token"))
	if err != nil {
		t.Fatal(err)
	}
	addToken(t, store, state.Token{User: carol, Hash: state.HashToken("old"), Expires: time.Now().Add(-time.Second)})
	addToken(t, store, state.Token{User: carol, Hash: state.HashToken("new"), Expires: time.Now().Add(time.Hour)})
	if err := store.DeleteAccount(t.Context(), admin, dave); err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]string{
		strings.TrimSpace(string(first)): state.AdminUser, carol: carol, "new": carol, "old": "", dave: "", "wrong": "", "": "",
	} {
		got, err := who.Token(t.Context(), token)
		if got != want || (want == "") != errors.Is(err, gitserver.ErrUnauthorized) {
			t.Errorf("Token(%.12q) = %q, %v; want %q", token, got, err, want)
		}
	}
}

func TestKeysSignTheirUserIn(t *testing.T) {
	t.Parallel()
	who, store := doorsOf(t)
	keys := map[string]string{ // as ssh-keygen writes them
		"carol's":    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g",
		"nobody's":   "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g",
		"the file's": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g",
		"a ghost's":  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g",
	}
	parsed := map[string]ssh.PublicKey{}
	for name, line := range keys {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		parsed[name] = key
	}
	for name, user := range map[string]string{"carol's": carol, "a ghost's": "ghost@example.com"} {
		if err := store.AddKey(t.Context(), admin, state.Key{Fingerprint: ssh.FingerprintSHA256(parsed[name]), User: user}); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(who.authorizedKeys, []byte("# keys\n"+keys["the file's"]+" laptop\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"carol's": carol, "the file's": state.AdminUser, "nobody's": "", "a ghost's": ""} {
		got, err := who.Key(t.Context(), parsed[name])
		if got != want || (want == "") != errors.Is(err, gitserver.ErrUnauthorized) {
			t.Errorf("Key of %s = %q, %v; want %q", name, got, err, want)
		}
	}
}

func TestRepositoriesAreOfThoseWhoMayUseTheApp(t *testing.T) {
	t.Parallel()
	who, store := doorsOf(t)
	for _, c := range []struct {
		user, repo string
		write      bool
		want       error // nil: let in
	}{
		{carol, "shop", true, nil},
		{root, "shop", true, nil},
		{state.AdminUser, "shop", false, nil},
		{dave, "shop", false, state.ErrForbidden},
		{dave, "shop", true, state.ErrForbidden},
		{dave, "shed", false, gitserver.ErrNotFound},
		{dave, "shed", true, nil}, // makes it
		{carol, "shed", true, state.ErrForbidden},
		{dave, "api", true, state.ErrReservedName},
		{dave, "no", true, state.ErrInvalidName},
	} {
		err := who.Repository(t.Context(), gitserver.Access{User: c.user, Repo: c.repo, Write: c.write})
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("Repository(%s, %s, write %v) = %v, want %v", c.user, c.repo, c.write, err, c.want)
		}
	}
	if app, err := store.App(t.Context(), "shed"); err != nil || app.Owner != dave {
		t.Errorf("App = %+v, %v; want dave's", app, err)
	}
}

func TestImagesAreOfThoseWhoMayUseTheApp(t *testing.T) {
	t.Parallel()
	who, _ := doorsOf(t)
	for _, c := range []struct {
		token, repository string
		action            slugs.Action
		want              error // nil: let in
	}{
		{carol, "", slugs.Pull, nil},
		{"wrong", "", slugs.Pull, slugs.ErrUnauthorized},
		{carol, "shop", slugs.Pull, nil},
		{carol, "shop/cache", slugs.Push, nil},
		{carol, "shop", slugs.Replace, slugs.ErrReleased},
		{dave, "shop", slugs.Pull, slugs.ErrForbidden},
		{dave, "shop/cache", slugs.Pull, slugs.ErrForbidden},
		{dave, "shop", slugs.Replace, slugs.ErrForbidden},
		{root, "shop", slugs.Push, nil},
		{dave, "elsewhere", slugs.Push, slugs.ErrForbidden},
		{root, "elsewhere", slugs.Push, nil},
		{dave, slugs.Catalogue, slugs.Pull, slugs.ErrForbidden},
		{root, slugs.Catalogue, slugs.Pull, nil},
		{dave, slugs.SystemPrefix + "run", slugs.Pull, nil},
		{root, slugs.SystemPrefix + "run", slugs.Push, slugs.ErrForbidden},
		{dave, "slipway", slugs.Pull, slugs.ErrForbidden},
	} {
		err := who.registry(t.Context(), c.token, c.repository, c.action)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("registry(%s, %q, %s) = %v, want %v", c.token, c.repository, c.action, err, c.want)
		}
	}
}
