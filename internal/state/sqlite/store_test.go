package sqlite_test

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"slipway/internal/state"
	"slipway/internal/state/sqlite"
	"slipway/internal/state/statetest"
)

var ann = state.Actor{User: "ann", From: "127.0.0.1"}

func open(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, statetest.Sealer(t))
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func withApp(t *testing.T) *sqlite.Store {
	t.Helper()
	s := open(t, filepath.Join(t.TempDir(), "a b?&#.db"))
	if _, err := s.CreateApp(t.Context(), ann, state.App{Name: "shop", Owner: "ann", Created: time.Now()}); err != nil {
		t.Fatalf("CreateApp: %v", err)
	}
	return s
}

func release(commit string) state.Release {
	return state.Release{
		App: "shop", Slug: "sha256:" + commit, Size: 7, Commit: commit, Ref: "refs/heads/main", OldCommit: "0",
		Processes: []state.Process{{Type: "web", Command: "run it"}}, User: "ann", Description: "Deploy",
		Created: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC),
	}
}

func TestAppsAreFoundByName(t *testing.T) {
	s := withApp(t)
	app, err := s.App(t.Context(), "shop")
	if err != nil || app.Owner != "ann" || app.ID == "" {
		t.Errorf("App = %+v, %v; want ann's, with an ID", app, err)
	}
	if _, err := s.App(t.Context(), "shed"); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("App of a missing name: %v, want ErrNotFound", err)
	}
	if _, err := s.CreateApp(t.Context(), ann, state.App{Name: "shop"}); !errors.Is(err, state.ErrTaken) {
		t.Errorf("CreateApp of a taken name: %v, want ErrTaken", err)
	}
	for _, bad := range []string{"", "ab", "Shop", "1shop", "shop-", "../shop", "a-name-that-is-far-too-long-for-an-app"} {
		if _, err := s.CreateApp(t.Context(), ann, state.App{Name: bad}); !errors.Is(err, state.ErrInvalidName) {
			t.Errorf("CreateApp(%q): %v, want ErrInvalidName", bad, err)
		}
	}
}

func TestServersOwnNamesAreReserved(t *testing.T) {
	s := withApp(t)
	for _, name := range []string{"api", "apps", "healthz", "metrics"} {
		if _, err := s.CreateApp(t.Context(), ann, state.App{Name: name}); !errors.Is(err, state.ErrReservedName) {
			t.Errorf("CreateApp(%q): %v, want ErrReservedName", name, err)
		}
	}
}

func TestReleasesAreNumberedAndKept(t *testing.T) {
	s := withApp(t)
	first, err := s.AddRelease(t.Context(), ann, release("aa"), 0)
	if err != nil || first.Version != 1 {
		t.Fatalf("AddRelease = v%d, %v; want v1", first.Version, err)
	}
	if _, err := s.AddRelease(t.Context(), ann, release("bb"), 1); err != nil {
		t.Fatalf("AddRelease: %v", err)
	}
	all, err := s.Releases(t.Context(), "shop", 0)
	if err != nil || len(all) != 2 || all[0].Version != 2 {
		t.Fatalf("Releases = %+v, %v; want v2 and v1", all, err)
	}
	if newest, err := s.Releases(t.Context(), "shop", 1); err != nil || len(newest) != 1 || newest[0].Commit != "bb" {
		t.Errorf("Releases(1) = %+v, %v; want bb's", newest, err)
	}
	got, err := s.ReleaseOf(t.Context(), "shop", "aa")
	if err != nil || got.Version != 1 || got.Processes[0].Command != "run it" || !got.Created.Equal(release("aa").Created) {
		t.Errorf("ReleaseOf = %+v, %v; want v1 as it was recorded", got, err)
	}
	if _, err := s.Release(t.Context(), "shop", 3); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("Release of a missing version: %v, want ErrNotFound", err)
	}
}

func TestReleaseAfterAnOldOneIsRefused(t *testing.T) {
	s := withApp(t)
	if _, err := s.AddRelease(t.Context(), ann, release("aa"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddRelease(t.Context(), ann, release("bb"), 0); !errors.Is(err, state.ErrMoved) {
		t.Errorf("AddRelease after v0 when there is v1: %v, want ErrMoved", err)
	}
	orphan := release("aa")
	orphan.App = "shed"
	if _, err := s.AddRelease(t.Context(), ann, orphan, 0); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("AddRelease for a missing app: %v, want ErrNotFound", err)
	}
}

func TestReleasesAtOnceGetOneVersionEach(t *testing.T) {
	s := withApp(t)
	var wg sync.WaitGroup
	won := make(chan int, 8)
	for range 8 {
		wg.Go(func() {
			rel, err := s.AddRelease(t.Context(), ann, release("aa"), 0)
			if err == nil {
				won <- rel.Version
			} else if !errors.Is(err, state.ErrMoved) {
				t.Errorf("AddRelease: %v, want nil or ErrMoved", err)
			}
		})
	}
	wg.Wait()
	close(won)
	if n := len(won); n != 1 {
		t.Errorf("%d of 8 releases after v0 stand, want 1", n)
	}
}

func TestStateSurvivesReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	first, err := sqlite.Open(t.Context(), path, statetest.Sealer(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.CreateApp(t.Context(), ann, state.App{Name: "shop"}); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, path).App(t.Context(), "shop"); err != nil {
		t.Errorf("App after reopening: %v", err)
	}
}

func TestDeletedAppTakesItsReleasesAlong(t *testing.T) {
	s := withApp(t)
	if _, err := s.AddRelease(t.Context(), ann, release("aa"), 0); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteApp(t.Context(), ann, "shop"); err != nil {
		t.Fatalf("DeleteApp: %v", err)
	}
	if err := s.DeleteApp(t.Context(), ann, "shop"); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("DeleteApp again: %v, want ErrNotFound", err)
	}
	if _, err := s.CreateApp(t.Context(), ann, state.App{Name: "shop"}); err != nil {
		t.Fatal(err)
	}
	if all, err := s.Releases(t.Context(), "shop", 0); err != nil || len(all) != 0 {
		t.Errorf("Releases of a new app of that name = %+v, %v; want none", all, err)
	}
}

func TestKeys(t *testing.T) {
	s := withApp(t)
	key := state.Key{Fingerprint: "SHA256:x", Public: "ssh-ed25519 AAAA", Comment: "ann@home", User: "ann", Created: time.Now()}
	if err := s.AddKey(t.Context(), ann, key); err != nil {
		t.Fatalf("AddKey: %v", err)
	}
	if err := s.AddKey(t.Context(), ann, key); !errors.Is(err, state.ErrTaken) {
		t.Errorf("AddKey again: %v, want ErrTaken", err)
	}
	if got, err := s.Key(t.Context(), "SHA256:x"); err != nil || got.Comment != "ann@home" {
		t.Errorf("Key = %+v, %v; want ann@home's", got, err)
	}
	if all, err := s.Keys(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("Keys = %+v, %v; want one", all, err)
	}
	if err := s.DeleteKey(t.Context(), ann, "SHA256:x"); err != nil {
		t.Errorf("DeleteKey: %v", err)
	}
	if _, err := s.Key(t.Context(), "SHA256:x"); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("Key after deletion: %v, want ErrNotFound", err)
	}
}
