package statetest

import (
	"slices"
	"testing"
	"time"

	"slipway/internal/state"
	"slipway/internal/state/sqlstore"
)

func addBuild(t *testing.T, s *sqlstore.Store, app string, created time.Time) state.Build {
	t.Helper()
	b, err := s.AddBuild(t.Context(), bob, state.Build{App: app, Commit: "aa", Ref: "refs/heads/main", Source: "git", Created: created})
	if err != nil || b.ID == "" || b.Status != state.BuildPending || b.User != "bob" {
		t.Fatalf("AddBuild = %+v, %v; want a pending one by bob", b, err)
	}
	return b
}

func keepBuilds(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	createApp(t, s, "shed")
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	first, second, other := addBuild(t, s, "shop", at), addBuild(t, s, "shop", at.Add(time.Second)), addBuild(t, s, "shed", at)
	if all, err := s.Builds(t.Context(), "shop", 0); err != nil || !slices.Equal(all, []state.Build{second, first}) {
		t.Errorf("Builds = %+v, %v; want both of shop, newest first", all, err)
	}
	if all, err := s.Builds(t.Context(), "shop", 1); err != nil || !slices.Equal(all, []state.Build{second}) {
		t.Errorf("Builds(1) = %+v, %v; want the newest", all, err)
	}
	is(t, "EndBuild as pending", s.EndBuild(t.Context(), first.ID, state.BuildPending, "", 0), state.ErrInvalid)
	if err := s.EndBuild(t.Context(), first.ID, state.BuildSucceeded, "sha256:aa", 7); err != nil {
		t.Fatalf("EndBuild: %v", err)
	}
	got, err := s.Build(t.Context(), "shop", first.ID)
	if err != nil || got.Status != state.BuildSucceeded || got.Slug != "sha256:aa" || got.Release != 7 || !got.Updated.After(at) {
		t.Errorf("Build = %+v, %v; want one that succeeded as v7", got, err)
	}
	is(t, "EndBuild again", s.EndBuild(t.Context(), first.ID, state.BuildFailed, "", 0), state.ErrNotFound)
	_, err = s.Build(t.Context(), "shop", other.ID)
	is(t, "Build of another app", err, state.ErrNotFound)

	_, err = s.AddBuild(t.Context(), bob, state.Build{App: "none"})
	is(t, "AddBuild of a missing app", err, state.ErrNotFound)
}

// settleBuilds is what becomes of builds after a crash.
func settleBuilds(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	ended, broken := addBuild(t, s, "shop", at), addBuild(t, s, "shop", at)
	if err := s.EndBuild(t.Context(), ended.ID, state.BuildSucceeded, "sha256:aa", 7); err != nil {
		t.Fatalf("EndBuild: %v", err)
	}
	// One of a commit that was released in time, the moment before the crash.
	createApp(t, s, "shack")
	released := addBuild(t, s, "shack", at)
	made := release("aa")
	made.App, made.Created = "shack", at.Add(time.Second)
	made, err := s.AddRelease(t.Context(), bob, made, 0)
	if err != nil {
		t.Fatalf("AddRelease: %v", err)
	}
	later := addBuild(t, s, "shack", at.Add(time.Minute))
	if err := s.SettleBuilds(t.Context()); err != nil {
		t.Fatalf("SettleBuilds: %v", err)
	}
	for b, want := range map[state.Build]string{
		ended: state.BuildSucceeded, broken: state.BuildFailed, released: state.BuildSucceeded, later: state.BuildFailed,
	} {
		if got, err := s.Build(t.Context(), b.App, b.ID); err != nil || got.Status != want {
			t.Errorf("Build after a crash = %+v, %v; want it %s", got, err, want)
		}
	}
	if got, err := s.Build(t.Context(), "shack", released.ID); err != nil || got.Slug != made.Slug || got.Release != made.Version {
		t.Errorf("Build of a release that stands = %+v, %v; want %s of v%d", got, err, made.Slug, made.Version)
	}
}

func stampApps(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	made, err := s.App(t.Context(), "shop")
	if err != nil || !made.Updated.Equal(made.Created) || !made.Released.IsZero() || made.Maintenance {
		t.Errorf("App = %+v, %v; want one not updated, released or in maintenance", made, err)
	}
	for _, on := range []bool{true, false} {
		if err := s.SetMaintenance(t.Context(), ann, "shop", on); err != nil {
			t.Fatalf("SetMaintenance: %v", err)
		}
		if app, err := s.App(t.Context(), "shop"); err != nil || app.Maintenance != on || app.Updated.Before(made.Updated) {
			t.Errorf("App = %+v, %v; want maintenance %v", app, err, on)
		}
	}
	rel := addRelease(t, s, release("aa"), 0)
	app, err := s.App(t.Context(), "shop")
	if err != nil || !app.Released.Equal(rel.Created) || !app.Updated.After(made.Updated) || !app.Created.Equal(made.Created) {
		t.Errorf("App = %+v, %v; want it updated, and released at %v", app, err, rel.Created)
	}
	is(t, "SetMaintenance of a missing app", s.SetMaintenance(t.Context(), ann, "none", true), state.ErrNotFound)
	hasActions(t, s, "shop", "app.update", 2)
}
