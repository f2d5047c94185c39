package statetest

import (
	"fmt"
	"strings"
	"testing"

	"slipway/internal/state"
	"slipway/internal/state/sqlstore"
)

func addDrain(t *testing.T, s *sqlstore.Store, app, address string) state.Drain {
	t.Helper()
	d, err := s.AddDrain(t.Context(), ann, state.Drain{App: app, URL: address})
	if err != nil || d.ID == "" || !strings.HasPrefix(d.Token, "d.") {
		t.Fatalf("AddDrain = %q, token %q, %v; want a drain with an ID and a token", d.ID, d.Token, err)
	}
	return d
}

func keepDrains(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	createApp(t, s, "shed")
	const address = "https://user:secret@logs.example.com/in"
	first, second := addDrain(t, s, "shop", address), addDrain(t, s, "shop", "syslog+tls://logs.example.com:6514")
	others := addDrain(t, s, "shed", address)
	if all, err := s.Drains(t.Context(), "shop"); err != nil || len(all) != 2 || all[0] != first || all[1] != second {
		t.Errorf("Drains = %+v, %v; want both of shop as they were added", all, err)
	}
	if all, err := s.AllDrains(t.Context()); err != nil || len(all) != 3 || all[2] != others {
		t.Errorf("AllDrains = %+v, %v; want three, shed's last", all, err)
	}
	is(t, "DeleteDrain of another app", s.DeleteDrain(t.Context(), ann, "shed", first.ID), state.ErrNotFound)
	for _, which := range []string{first.ID, second.URL} {
		if err := s.DeleteDrain(t.Context(), ann, "shop", which); err != nil {
			t.Errorf("DeleteDrain(%q): %v", which, err)
		}
	}
	if all, err := s.Drains(t.Context(), "shop"); err != nil || len(all) != 0 {
		t.Errorf("Drains after deletion = %+v, %v; want none", all, err)
	}
}

func refuseDrains(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	for _, bad := range []string{"", "logs.example.com", "http://secret@logs.example.com", "https://:secret@", "syslog://:514/secret", "https://secret%zz"} {
		_, err := s.AddDrain(t.Context(), ann, state.Drain{App: "shop", URL: bad})
		is(t, fmt.Sprintf("AddDrain(%q)", bad), err, state.ErrInvalid)
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("AddDrain(%q) shows the address: %v", bad, err)
		}
	}
	const address = "https://logs.example.com"
	addDrain(t, s, "shop", address)
	_, err := s.AddDrain(t.Context(), ann, state.Drain{App: "shop", URL: address})
	is(t, "AddDrain of an address twice", err, state.ErrTaken)
	for i := range state.MaxDrains - 1 {
		addDrain(t, s, "shop", fmt.Sprintf("syslog://logs.example.com:%d", 1000+i))
	}
	_, err = s.AddDrain(t.Context(), ann, state.Drain{App: "shop", URL: "https://more.example.com"})
	is(t, "AddDrain of one too many", err, state.ErrInvalid)
}

func drainsAtOnce(t *testing.T, db Database) {
	t.Helper()
	stores := twice(t, db)
	won := atOnce(t, 6, state.ErrTaken, func(i int) error {
		_, err := stores[i%2].AddDrain(t.Context(), ann, state.Drain{App: "shop", URL: "https://logs.example.com"})
		return err
	})
	if won != 1 {
		t.Errorf("%d of 6 added the drain, want 1", won)
	}
}
