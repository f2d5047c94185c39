package statetest

import (
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/internal/state"
	"slipway/internal/state/sqlstore"
)

func release(commit string) state.Release {
	return state.Release{
		App: "shop", Slug: "sha256:" + commit, Size: 7, Commit: commit, Ref: "refs/heads/main", OldCommit: "0",
		Processes: []state.Process{{Type: "web", Command: "run it"}}, Description: "Deploy",
		Config:   map[string]string{"GREETING": "hello, \"you\"", "EMPTY": ""},
		Language: "python", LanguageVersion: "3.13.1", Created: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC),
	}
}

func addRelease(t *testing.T, s *sqlstore.Store, rel state.Release, after int) state.Release {
	t.Helper()
	rel, err := s.AddRelease(t.Context(), ann, rel, after)
	if err != nil {
		t.Fatalf("AddRelease: %v", err)
	}
	return rel
}

func keepReleases(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	first := addRelease(t, s, release("aa"), 0)
	if first.Version != 1 || first.User != "ann" {
		t.Errorf("AddRelease = v%d by %s, want v1 by ann", first.Version, first.User)
	}
	addRelease(t, s, release("bb"), 1)
	all, err := s.Releases(t.Context(), "shop", 0)
	if err != nil || len(all) != 2 || all[0].Version != 2 {
		t.Fatalf("Releases = %+v, %v; want v2 and v1", all, err)
	}
	if newest, err := s.Releases(t.Context(), "shop", 1); err != nil || len(newest) != 1 || newest[0].Commit != "bb" {
		t.Errorf("Releases(1) = %+v, %v; want bb's", newest, err)
	}
	if got, err := s.Release(t.Context(), "shop", 1); err != nil || !reflect.DeepEqual(got, first) {
		t.Errorf("Release(1) = %+v, %v; want %+v", got, err, first)
	}
	_, err = s.Release(t.Context(), "shop", 3)
	is(t, "Release of a missing version", err, state.ErrNotFound)
	_, err = s.Release(t.Context(), "shed", 1)
	is(t, "Release of a missing app", err, state.ErrNotFound)
}

func refuseOldRelease(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	addRelease(t, s, release("aa"), 0)
	for _, after := range []int{0, 2} {
		_, err := s.AddRelease(t.Context(), ann, release("bb"), after)
		is(t, "AddRelease after another than the newest", err, state.ErrMoved)
	}
	orphan := release("aa")
	orphan.App = "shed"
	_, err := s.AddRelease(t.Context(), ann, orphan, 0)
	is(t, "AddRelease for a missing app", err, state.ErrNotFound)
}

func findCommit(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	addRelease(t, s, state.Release{App: "shop", Config: map[string]string{"A": "b"}}, 0)
	addRelease(t, s, release("aa"), 1)
	addRelease(t, s, release("bb"), 2)
	addRelease(t, s, release("aa"), 3)
	addRelease(t, s, state.Release{App: "shop", Commit: "dd"}, 4)
	addRelease(t, s, state.Release{App: "shop", Slug: "sha256:ee"}, 5)
	if got, err := s.ReleaseOf(t.Context(), "shop", "aa"); err != nil || got.Version != 4 {
		t.Errorf("ReleaseOf(aa) = v%d, %v; want v4", got.Version, err)
	}
	for _, none := range []string{"", "cc", "dd"} {
		_, err := s.ReleaseOf(t.Context(), "shop", none)
		is(t, "ReleaseOf "+none, err, state.ErrNotFound)
	}
}

func limitConfig(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	for what, config := range map[string]map[string]string{
		"PORT": {"PORT": "1"}, "too much": {"A": strings.Repeat("x", state.MaxConfig)}, "no name": {"": "x"},
	} {
		rel := release("aa")
		rel.Config = config
		_, err := s.AddRelease(t.Context(), ann, rel, 0)
		is(t, "AddRelease with "+what, err, state.ErrInvalid)
	}
	rel := release("aa")
	rel.Config = map[string]string{"A": strings.Repeat("ü", (state.MaxConfig-1)/2)}
	addRelease(t, s, rel, 0)
	if got, err := s.Release(t.Context(), "shop", 1); err != nil || !reflect.DeepEqual(got.Config, rel.Config) {
		t.Errorf("Release has %d bytes of config, %v; want the most there can be", len(got.Config["A"]), err)
	}
}

func releasesAtOnce(t *testing.T, db Database) {
	t.Helper()
	stores := twice(t, db)
	var wg sync.WaitGroup
	const n = 8
	versions := make([]int, n)
	for i := range n {
		wg.Go(func() {
			s := stores[i%2]
			for after := 0; ; after++ { // each tries until it was the one
				rel, err := s.AddRelease(t.Context(), ann, release("aa"), after)
				if err == nil {
					versions[i] = rel.Version
					return
				}
				if !errors.Is(err, state.ErrMoved) || after > n {
					t.Errorf("AddRelease: %v, want nil or ErrMoved", err)
					return
				}
			}
		})
	}
	wg.Wait()
	seen := map[int]bool{}
	for _, v := range versions {
		seen[v] = true
	}
	all, err := stores[0].Releases(t.Context(), "shop", 0)
	if err != nil || len(all) != n || len(seen) != n || seen[0] {
		t.Errorf("%d calls got versions %v, and %d releases are there (%v); want one each", n, versions, len(all), err)
	}
}

// twice opens a database with the app "shop" two times, as two servers do.
func twice(t *testing.T, db Database) []*sqlstore.Store {
	t.Helper()
	return []*sqlstore.Store{db.withApp(t), db.open(t)}
}
