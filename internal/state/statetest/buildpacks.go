package statetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/internal/state"
)

func keepBuildpacks(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	createApp(t, s, "shed")
	if b, err := s.Buildpacks(t.Context(), "shop"); err != nil || b.Names != nil || !b.Set.IsZero() {
		t.Errorf("Buildpacks before any were set = %+v, %v; want none", b, err)
	}
	before := time.Now().Truncate(time.Microsecond)
	want := []string{"slipway/nodejs", "https://example.com/bp.tgz?token=secret", "./bp"}
	if err := s.SetBuildpacks(t.Context(), ann, "shop", want); err != nil {
		t.Fatalf("SetBuildpacks: %v", err)
	}
	first, err := s.Buildpacks(t.Context(), "shop")
	if err != nil || !slices.Equal(first.Names, want) || first.Set.Before(before) {
		t.Errorf("Buildpacks = %+v, %v; want %q in their order, set after %v", first, err, want, before)
	}
	if audits, err := s.Audits(t.Context(), "shop", 1); err != nil || audits[0].Action != "buildpacks.update" ||
		audits[0].Details != "slipway/nodejs, https://example.com/bp.tgz, ./bp" {
		t.Errorf("Audits = %+v, %v; want the names without a secret", audits, err)
	}
	if b, err := s.Buildpacks(t.Context(), "shed"); err != nil || b.Names != nil {
		t.Errorf("Buildpacks of another app = %+v, %v; want none", b, err)
	}
}

func clearBuildpacks(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	for _, names := range [][]string{{"a/b", "c/d"}, {"e/f"}, nil} {
		before, err := s.Buildpacks(t.Context(), "shop")
		if err != nil {
			t.Fatalf("Buildpacks: %v", err)
		}
		if err := s.SetBuildpacks(t.Context(), ann, "shop", names); err != nil {
			t.Fatalf("SetBuildpacks(%q): %v", names, err)
		}
		if b, err := s.Buildpacks(t.Context(), "shop"); err != nil || !slices.Equal(b.Names, names) || b.Set.Before(before.Set) || b.Set.IsZero() {
			t.Errorf("Buildpacks after %q were set = %+v, %v; want them, and when", names, b, err)
		}
	}
}

func refuseBuildpacks(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	is(t, "SetBuildpacks of 1000", s.SetBuildpacks(t.Context(), ann, "shop", slices.Repeat([]string{"a/b"}, 1000)), state.ErrInvalid)
	for _, bad := range []string{"", strings.Repeat("a", 1025), "a\x00b", "a\xff"} {
		is(t, "SetBuildpacks of a bad name", s.SetBuildpacks(t.Context(), ann, "shop", []string{bad}), state.ErrInvalid)
	}
	is(t, "SetBuildpacks of no app", s.SetBuildpacks(t.Context(), ann, "none", []string{"a/b"}), state.ErrNotFound)
	if b, err := s.Buildpacks(t.Context(), "shop"); err != nil || b.Names != nil {
		t.Errorf("Buildpacks after what was refused = %+v, %v; want none", b, err)
	}
}
