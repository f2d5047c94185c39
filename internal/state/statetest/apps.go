package statetest

import (
	"slices"
	"testing"
	"time"

	"slipway/internal/state"
)

func findApps(t *testing.T, db Database) {
	t.Helper()
	s := db.open(t)
	made := state.App{Name: "shop", Owner: "ann", Created: time.Date(2026, 1, 2, 3, 4, 5, 6789, time.UTC), Idle: time.Minute}
	app, err := s.CreateApp(t.Context(), ann, made)
	if err != nil || app.ID == "" {
		t.Fatalf("CreateApp = %+v, %v; want an app with an ID", app, err)
	}
	if got, err := s.App(t.Context(), "shop"); err != nil || got != app {
		t.Errorf("App = %+v, %v; want %+v", got, err, app)
	}
	_, err = s.App(t.Context(), "shed")
	is(t, "App of a missing name", err, state.ErrNotFound)
	_, err = s.CreateApp(t.Context(), bob, state.App{Name: "shop"})
	is(t, "CreateApp of a taken name", err, state.ErrTaken)

	for _, name := range []string{"shopz", "shop-b", "shop1", "a-shop"} {
		createApp(t, s, name)
	}
	all, err := s.Apps(t.Context())
	var names []string
	for _, app := range all {
		names = append(names, app.Name)
	}
	if want := []string{"a-shop", "shop", "shop-b", "shop1", "shopz"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("Apps = %v, %v; want %v", names, err, want)
	}
}

func refuseNames(t *testing.T, db Database) {
	t.Helper()
	s := db.open(t)
	for _, bad := range []string{"", "ab", "Shop", "1shop", "shop-", "../shop", "a-name-that-is-far-too-long-for-an-app"} {
		_, err := s.CreateApp(t.Context(), ann, state.App{Name: bad})
		is(t, "CreateApp of "+bad, err, state.ErrInvalidName)
	}
	for _, own := range []string{"api", "apps", "healthz", "metrics"} {
		_, err := s.CreateApp(t.Context(), ann, state.App{Name: own})
		is(t, "CreateApp of "+own, err, state.ErrReservedName)
	}
}

func sleepApps(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	if err := s.SetIdle(t.Context(), ann, "shop", -time.Second); err != nil {
		t.Fatalf("SetIdle: %v", err)
	}
	for _, asleep := range []bool{true, false} {
		if err := s.SetAsleep(t.Context(), "shop", asleep); err != nil {
			t.Fatalf("SetAsleep: %v", err)
		}
		if app, err := s.App(t.Context(), "shop"); err != nil || app.Asleep != asleep || app.Idle != -time.Second {
			t.Errorf("App = %+v, %v; want asleep %v, idle -1s", app, err, asleep)
		}
	}
	is(t, "SetIdle of a missing app", s.SetIdle(t.Context(), ann, "shed", 0), state.ErrNotFound)
	is(t, "SetAsleep of a missing app", s.SetAsleep(t.Context(), "shed", true), state.ErrNotFound)
}

func deleteApp(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	fill(t, s)
	app, err := s.App(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AddUsage(t.Context(), []state.Usage{{Account: "ann", App: app.ID, Month: "2026-11", Seconds: 3}}); err != nil {
		t.Fatalf("AddUsage: %v", err)
	}
	if err := s.DeleteApp(t.Context(), ann, "shop"); err != nil {
		t.Fatalf("DeleteApp: %v", err)
	}
	is(t, "DeleteApp again", s.DeleteApp(t.Context(), ann, "shop"), state.ErrNotFound)

	createApp(t, s, "shop")
	w, err := s.Wanted(t.Context(), "shop")
	if err != nil || w.Release.Version != 0 || len(w.Formation) != 0 || w.App.ID == app.ID {
		t.Errorf("Wanted of a new app of that name = %+v, %v; want nothing of the old", w, err)
	}
	for _, table := range []string{"releases", "formations", "domains", "certs", "drains", "collaborators", "builds", "buildpacks"} {
		var n int
		if err := db.raw(t).QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d rows of %s stay, %v; want none", n, table, err)
		}
	}
	if usage, err := s.Usage(t.Context(), "ann", "2026-11"); err != nil || usage[app.ID] != 3 {
		t.Errorf("Usage = %v, %v; want 3 s of the old app", usage, err)
	}
	if audits, err := s.Audits(t.Context(), "shop", 0); err != nil || len(audits) < 6 {
		t.Errorf("Audits = %v, %v; want those of the old app too", audits, err)
	}
}

func reopen(t *testing.T, db Database) {
	t.Helper()
	first, err := db.Open(t.Context(), Sealer(t))
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	createApp(t, first, "shop")
	if err := first.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if _, err := db.open(t).App(t.Context(), "shop"); err != nil {
		t.Errorf("App after reopening: %v", err)
	}
}
