package statetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"slipway/internal/state"
	"slipway/internal/state/sqlstore"
)

const (
	carol = "carol@example.com"
	dave  = "dave@example.com"
)

func addAccount(t *testing.T, s *sqlstore.Store, email string) state.Account {
	t.Helper()
	a, err := s.AddAccount(t.Context(), ann, email, false)
	if err != nil || a.ID == "" {
		t.Fatalf("AddAccount(%q) = %+v, %v; want one with an ID", email, a, err)
	}
	return a
}

func keepAccounts(t *testing.T, db Database) {
	t.Helper()
	s := db.open(t)
	second := addAccount(t, s, "Dave@Example.com")
	if second.Email != dave || second.ID != state.UserID(dave) {
		t.Errorf("AddAccount = %+v, want the email in lower case, and its ID", second)
	}
	first, err := s.AddAccount(t.Context(), ann, carol, true)
	if err != nil || !first.Admin {
		t.Fatalf("AddAccount = %+v, %v; want an administrator", first, err)
	}
	_, err = s.AddAccount(t.Context(), ann, "DAVE@example.com", false)
	is(t, "AddAccount of a taken email", err, state.ErrTaken)
	refuseEmails(t, s)
	if all, err := s.Accounts(t.Context()); err != nil || len(all) != 2 || all[0] != first || all[1] != second {
		t.Errorf("Accounts = %+v, %v; want carol's and dave's", all, err)
	}
	findAccounts(t, s, second)
}

func refuseEmails(t *testing.T, s *sqlstore.Store) {
	t.Helper()
	for _, bad := range []string{
		"", "dave", "@example.com", "dave@", "Dave <dave@example.com>", "a b@example.com", "a\x00@example.com", "a\n@example.com",
		"dave@example.com, eve@example.com", "\"a b\"@example.com", "ü@example.com", "<a>@example.com", strings.Repeat("a", 250) + "@example.com",
	} {
		_, err := s.AddAccount(t.Context(), ann, bad, false)
		is(t, fmt.Sprintf("AddAccount(%.40q)", bad), err, state.ErrInvalid)
	}
}

func findAccounts(t *testing.T, s *sqlstore.Store, daves state.Account) {
	t.Helper()
	for user, admin := range map[string]bool{carol: true, dave: false, state.AdminUser: true, "eve@example.com": false} {
		if got, err := s.IsAdmin(t.Context(), user); err != nil || got != admin {
			t.Errorf("IsAdmin(%s) = %v, %v; want %v", user, got, err, admin)
		}
	}
	for what, find := range map[string]func() (state.Account, error){
		"AccountOf":   func() (state.Account, error) { return s.AccountOf(t.Context(), dave) },
		"AccountByID": func() (state.Account, error) { return s.AccountByID(t.Context(), daves.ID) },
	} {
		if got, err := find(); err != nil || got != daves {
			t.Errorf("%s = %+v, %v; want %+v", what, got, err, daves)
		}
	}
	_, err := s.AccountOf(t.Context(), "eve@example.com")
	is(t, "AccountOf a stranger", err, state.ErrNotFound)
}

func deleteAccount(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	addAccount(t, s, carol)
	addToken(t, s, state.Token{User: carol, Hash: "h1"})
	addCollaborator(t, s, "shop", carol)
	if err := s.AddKey(t.Context(), ann, state.Key{Fingerprint: "SHA256:x", User: carol}); err != nil {
		t.Fatalf("AddKey: %v", err)
	}
	if _, err := s.CreateApp(t.Context(), ann, state.App{Name: "shed", Owner: carol}); err != nil {
		t.Fatalf("CreateApp: %v", err)
	}
	if err := s.DeleteAccount(t.Context(), ann, carol); err != nil {
		t.Fatalf("DeleteAccount: %v", err)
	}
	is(t, "DeleteAccount again", s.DeleteAccount(t.Context(), ann, carol), state.ErrNotFound)
	_, err := s.AccountOf(t.Context(), carol)
	is(t, "AccountOf", err, state.ErrNotFound)
	_, err = s.TokenOf(t.Context(), "h1")
	is(t, "TokenOf", err, state.ErrNotFound)
	_, err = s.Key(t.Context(), "SHA256:x")
	is(t, "Key", err, state.ErrNotFound)
	mayUse(t, s, carol, "shop", false)
	if app, err := s.App(t.Context(), "shed"); err != nil || app.Owner != carol {
		t.Errorf("App = %+v, %v; want that of the deleted account", app, err)
	}
	_, err = s.AddToken(t.Context(), ann, state.Token{User: carol, Hash: "h2"})
	is(t, "AddToken of a deleted account", err, state.ErrNotFound)
	_, err = s.AddCollaborator(t.Context(), ann, "shop", carol)
	is(t, "AddCollaborator of a deleted account", err, state.ErrNotFound)
	hasActions(t, s, "", "account.delete", 1)
}

func addToken(t *testing.T, s *sqlstore.Store, token state.Token) state.Token {
	t.Helper()
	token, err := s.AddToken(t.Context(), ann, token)
	if err != nil || token.ID == "" {
		t.Fatalf("AddToken = %+v, %v; want one with an ID", token, err)
	}
	return token
}

func keepTokens(t *testing.T, db Database) {
	t.Helper()
	s := db.open(t)
	addAccount(t, s, carol)
	now := time.Now().UTC().Truncate(time.Microsecond)
	lasting := addToken(t, s, state.Token{User: carol, Description: "laptop", Hash: "h1", Hint: "slip**", Created: now.Add(-time.Hour)})
	short := addToken(t, s, state.Token{User: carol, Hash: "h2", Created: now.Add(-time.Minute), Expires: now.Add(time.Hour)})
	admins := addToken(t, s, state.Token{User: state.AdminUser, Hash: "h3"})
	for _, want := range []state.Token{lasting, short, admins} {
		if got, err := s.TokenOf(t.Context(), want.Hash); err != nil || got != want {
			t.Errorf("TokenOf(%s) = %+v, %v; want %+v", want.Hash, got, err, want)
		}
	}
	if all, err := s.Tokens(t.Context(), carol); err != nil || len(all) != 2 || all[0] != lasting || all[1] != short {
		t.Errorf("Tokens = %+v, %v; want carol's two, the older first", all, err)
	}
	_, err := s.AddToken(t.Context(), ann, state.Token{User: carol, Hash: "h1"})
	is(t, "AddToken of a taken hash", err, state.ErrTaken)
	for _, bad := range []string{strings.Repeat("x", 300), "\x1b[2J", "\xff"} {
		_, err = s.AddToken(t.Context(), ann, state.Token{User: carol, Hash: "h4", Description: bad})
		is(t, fmt.Sprintf("AddToken with the description %.9q", bad), err, state.ErrInvalid)
	}
	changed := short
	changed.Description, changed.Hash, changed.Hint, changed.Expires = "desk", "h5", "x**", time.Time{}
	if err := s.SaveToken(t.Context(), ann, changed); err != nil {
		t.Errorf("SaveToken: %v", err)
	}
	if got, err := s.TokenOf(t.Context(), "h5"); err != nil || got != changed {
		t.Errorf("TokenOf = %+v, %v; want %+v", got, err, changed)
	}
	changed.User = state.AdminUser
	is(t, "SaveToken of another", s.SaveToken(t.Context(), ann, changed), state.ErrNotFound)
	is(t, "DeleteToken of another", s.DeleteToken(t.Context(), ann, carol, admins.ID), state.ErrNotFound)
	if err := s.DeleteToken(t.Context(), ann, carol, lasting.ID); err != nil {
		t.Errorf("DeleteToken: %v", err)
	}
	_, err = s.TokenOf(t.Context(), "h1")
	is(t, "TokenOf after deletion", err, state.ErrNotFound)
}

func limitTokens(t *testing.T, db Database) {
	t.Helper()
	s := db.open(t)
	addAccount(t, s, carol)
	past := time.Now().Add(-time.Hour)
	for i := range state.MaxTokens {
		token := state.Token{User: carol, Hash: fmt.Sprintf("h%d", i)}
		if i == 0 {
			token.Expires = past
		}
		addToken(t, s, token)
	}
	addToken(t, s, state.Token{User: carol, Hash: "in the place of the expired"})
	_, err := s.TokenOf(t.Context(), "h0")
	is(t, "TokenOf an expired token", err, state.ErrNotFound)
	_, err = s.AddToken(t.Context(), ann, state.Token{User: carol, Hash: "one too many"})
	is(t, "AddToken beyond the limit", err, state.ErrInvalid)
}

func deleteAccountAtOnce(t *testing.T, db Database) {
	t.Helper()
	stores := twice(t, db)
	addAccount(t, stores[0], carol)
	atOnce(t, 8, state.ErrNotFound, func(i int) error {
		s := stores[i%2]
		if i == 4 {
			return s.DeleteAccount(t.Context(), ann, carol)
		}
		if _, err := s.AddCollaborator(t.Context(), ann, "shop", carol); err != nil && !errors.Is(err, state.ErrTaken) {
			return err
		}
		_, err := s.AddToken(t.Context(), ann, state.Token{User: carol, Hash: fmt.Sprintf("h%d", i)})
		return err
	})
	if all, err := stores[0].Tokens(t.Context(), carol); err != nil || len(all) != 0 {
		t.Errorf("Tokens of a deleted account = %+v, %v; want none", all, err)
	}
	mayUse(t, stores[1], carol, "shop", false)
}
