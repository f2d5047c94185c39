package statetest

import (
	"bytes"
	"database/sql"
	"strings"
	"testing"

	"slipway/internal/state"
)

// secret is in everything that must not be seen.
const secret = "opensesame"

func sealSecrets(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	fill(t, s)
	raw := db.raw(t)
	for _, query := range []string{"SELECT config FROM releases", "SELECT secret_key FROM certs", "SELECT url FROM drains"} {
		var sealed []byte
		err := raw.QueryRowContext(t.Context(), query).Scan(&sealed)
		if err != nil || len(sealed) < len(secret) || bytes.Contains(sealed, []byte(secret)) || bytes.Contains(sealed, []byte("PRIVATE")) {
			t.Errorf("%s = %q, %v; want what cannot be read", query, sealed, err)
		}
	}
	w, err := s.Wanted(t.Context(), "shop")
	if err != nil || w.Release.Config["TOKEN"] != secret {
		t.Errorf("Wanted = %v, %v; want the config var as it was given", w.Release.Config, err)
	}
}

func bindSecrets(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	fill(t, s)
	thief := createApp(t, s, "thief")
	raw := db.raw(t)
	for _, table := range []string{"releases", "certs", "drains", "buildpacks"} {
		exec(t, raw, "UPDATE "+table+" SET app_id = '"+thief.ID+"'")
	}
	_, err := s.Releases(t.Context(), "thief", 0)
	is(t, "Releases with another's config vars", err, state.ErrWrongKey)
	_, err = s.Certs(t.Context(), "thief")
	is(t, "Certs with another's key", err, state.ErrWrongKey)
	_, err = s.Drains(t.Context(), "thief")
	is(t, "Drains with another's address", err, state.ErrWrongKey)
	_, err = s.Buildpacks(t.Context(), "thief")
	is(t, "Buildpacks with another's addresses", err, state.ErrWrongKey)
}

func refuseKey(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	fill(t, s)
	for what, other := range map[string]*state.Sealer{"another key": sealer(t, 8), "no key": nil} {
		wrong, err := db.Open(t.Context(), other)
		if err == nil {
			t.Errorf("Open with %s = nil, want an error", what)
			if err := wrong.Close(); err != nil {
				t.Error(err)
			}
		}
		if other != nil {
			is(t, "Open with another key", err, state.ErrWrongKey)
		}
	}
	damage(t, db.raw(t))
	_, err := s.Wanted(t.Context(), "shop")
	is(t, "Wanted with damaged config vars", err, state.ErrWrongKey)
}

// damage changes the last byte of the only release's config vars.
func damage(t *testing.T, raw *sql.DB) {
	t.Helper()
	var sealed []byte
	if err := raw.QueryRowContext(t.Context(), "SELECT config FROM releases").Scan(&sealed); err != nil {
		t.Fatal(err)
	}
	sealed[len(sealed)-1] ^= 1
	if _, err := raw.ExecContext(t.Context(), "UPDATE releases SET config = $1", sealed); err != nil {
		t.Fatal(err)
	}
}

func cleanText(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	rel := release("aa")
	rel.Description = "a\x00b\xffc"
	addRelease(t, s, rel, 0)
	if got, err := s.Release(t.Context(), "shop", 1); err != nil || got.Description != "a\uFFFDb\uFFFDc" {
		t.Errorf("Release = %q, %v; want replacements for what is no text", got.Description, err)
	}
	_, err := s.App(t.Context(), "sh\x00op")
	is(t, "App of a name with a zero in it", err, state.ErrNotFound)
	if strings.Contains(err.Error(), "\x00") {
		t.Errorf("App shows a zero: %q", err)
	}
}
