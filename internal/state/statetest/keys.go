package statetest

import (
	"testing"
	"time"

	"slipway/internal/state"
)

func keepKeys(t *testing.T, db Database) {
	t.Helper()
	s := db.open(t)
	key := state.Key{
		Fingerprint: "SHA256:x", Public: "ssh-ed25519 AAAA", Comment: "ann@home", User: "ann",
		Created: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC),
	}
	if err := s.AddKey(t.Context(), ann, key); err != nil {
		t.Fatalf("AddKey: %v", err)
	}
	is(t, "AddKey again", s.AddKey(t.Context(), ann, key), state.ErrTaken)
	if got, err := s.Key(t.Context(), "SHA256:x"); err != nil || got != key {
		t.Errorf("Key = %+v, %v; want %+v", got, err, key)
	}
	older := key
	older.Fingerprint, older.Created = "SHA256:y", key.Created.Add(-time.Hour)
	if err := s.AddKey(t.Context(), ann, older); err != nil {
		t.Fatalf("AddKey: %v", err)
	}
	if all, err := s.Keys(t.Context(), "ann"); err != nil || len(all) != 2 || all[0] != older || all[1] != key {
		t.Errorf("Keys = %+v, %v; want both, the older first", all, err)
	}
	if all, err := s.Keys(t.Context(), "bob"); err != nil || len(all) != 0 {
		t.Errorf("Keys of bob = %+v, %v; want none", all, err)
	}
	is(t, "DeleteKey of another", s.DeleteKey(t.Context(), bob, "bob", "SHA256:x"), state.ErrNotFound)
	if err := s.DeleteKey(t.Context(), ann, "ann", "SHA256:x"); err != nil {
		t.Errorf("DeleteKey: %v", err)
	}
	is(t, "DeleteKey again", s.DeleteKey(t.Context(), ann, "ann", "SHA256:x"), state.ErrNotFound)
	_, err := s.Key(t.Context(), "SHA256:x")
	is(t, "Key after deletion", err, state.ErrNotFound)
}
