package statetest

import (
	"fmt"
	"reflect"
	"sync"
	"testing"

	"slipway/internal/state"
	"slipway/internal/state/sqlstore"
)

func firstWeb(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	addRelease(t, s, state.Release{App: "shop"}, 0)
	hasFormation(t, s, map[string]int{})
	addRelease(t, s, release("aa"), 1)
	hasFormation(t, s, map[string]int{"web": 1})
	if err := s.SetFormation(t.Context(), ann, "shop", []state.Formation{{Type: "web", Quantity: 0}}); err != nil {
		t.Fatalf("SetFormation: %v", err)
	}
	addRelease(t, s, release("bb"), 2)
	hasFormation(t, s, map[string]int{"web": 0})
}

func hasFormation(t *testing.T, s *sqlstore.Store, want map[string]int) {
	t.Helper()
	all, err := s.Formation(t.Context(), "shop")
	if err != nil {
		t.Fatalf("Formation: %v", err)
	}
	got := map[string]int{}
	for i, f := range all {
		got[f.Type] = f.Quantity
		if f.App != "shop" || i > 0 && all[i-1].Type >= f.Type {
			t.Errorf("Formation = %+v, want shop's, sorted by type", all)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Formation = %v, want %v", got, want)
	}
}

func setFormations(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	for _, f := range [][]state.Formation{
		{{Type: "web", Quantity: 1}, {Type: "a-worker", Quantity: 2}},
		{{Type: "web", Quantity: state.MaxQuantity}, {Type: "Worker", Quantity: 4}},
		{},
	} {
		if err := s.SetFormation(t.Context(), ann, "shop", f); err != nil {
			t.Fatalf("SetFormation: %v", err)
		}
	}
	hasFormation(t, s, map[string]int{"web": state.MaxQuantity, "a-worker": 2, "Worker": 4})
}

func refuseFormations(t *testing.T, db Database) {
	t.Helper()
	s := db.withApp(t)
	for _, bad := range []state.Formation{{Type: "web", Quantity: -1}, {Type: "web", Quantity: state.MaxQuantity + 1}, {Type: "", Quantity: 1}} {
		err := s.SetFormation(t.Context(), ann, "shop", []state.Formation{{Type: "worker", Quantity: 1}, bad})
		is(t, fmt.Sprintf("SetFormation of %+v", bad), err, state.ErrInvalid)
	}
	is(t, "SetFormation of a missing app", s.SetFormation(t.Context(), ann, "shed", nil), state.ErrNotFound)
	hasFormation(t, s, map[string]int{})

	var err error
	for i := 0; err == nil && i < 1000; i++ {
		err = s.SetFormation(t.Context(), ann, "shop", []state.Formation{{Type: fmt.Sprintf("worker%d", i)}})
	}
	is(t, "SetFormation of ever more types", err, state.ErrInvalid)
}

func formationsAtOnce(t *testing.T, db Database) {
	t.Helper()
	stores := twice(t, db)
	var wg sync.WaitGroup
	want := map[string]int{}
	for i := range 10 {
		name := fmt.Sprintf("worker%d", i)
		want[name] = i
		wg.Go(func() {
			err := stores[i%2].SetFormation(t.Context(), ann, "shop", []state.Formation{{Type: name, Quantity: i}})
			if err != nil {
				t.Errorf("SetFormation: %v", err)
			}
		})
	}
	wg.Wait()
	hasFormation(t, stores[0], want)
	hasActions(t, stores[0], "shop", "formation.update", 10)
}

func wanted(t *testing.T, db Database) {
	t.Helper()
	s := db.open(t)
	for _, name := range []string{"shop", "empty", "shed"} {
		createApp(t, s, name)
	}
	addRelease(t, s, release("aa"), 0)
	addRelease(t, s, release("bb"), 1)
	other := release("cc")
	other.App = "shed"
	addRelease(t, s, other, 0)
	if err := s.SetFormation(t.Context(), ann, "shop", []state.Formation{{Type: "aworker", Quantity: 2}}); err != nil {
		t.Fatal(err)
	}
	all, err := s.AllWanted(t.Context())
	if err != nil || len(all) != 3 {
		t.Fatalf("AllWanted = %+v, %v; want three apps", all, err)
	}
	for i, want := range []struct {
		app, commit string
		version     int
		formation   []state.Formation
	}{
		{"empty", "", 0, nil},
		{"shed", "cc", 1, []state.Formation{{App: "shed", Type: "web", Quantity: 1}}},
		{"shop", "bb", 2, []state.Formation{{App: "shop", Type: "aworker", Quantity: 2}, {App: "shop", Type: "web", Quantity: 1}}},
	} {
		got := all[i]
		if got.App.Name != want.app || got.Release.Version != want.version || got.Release.Commit != want.commit ||
			!reflect.DeepEqual(got.Formation, want.formation) {
			t.Errorf("AllWanted[%d] = %+v, want %+v", i, got, want)
		}
		if one, err := s.Wanted(t.Context(), want.app); err != nil || !reflect.DeepEqual(one, got) {
			t.Errorf("Wanted(%q) = %+v, %v; want what AllWanted says: %+v", want.app, one, err, got)
		}
	}
	_, err = s.Wanted(t.Context(), "none")
	is(t, "Wanted of a missing app", err, state.ErrNotFound)
}

func wantedOfOneMoment(t *testing.T, db Database) {
	t.Helper()
	stores := twice(t, db)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 40 { // each app comes and goes with a release
			rel := release("aa")
			rel.App = fmt.Sprintf("app-%d", i)
			_, err := stores[1].CreateApp(t.Context(), ann, state.App{Name: rel.App})
			if err == nil {
				_, err = stores[1].AddRelease(t.Context(), ann, rel, 0)
			}
			if err == nil && i%2 == 0 {
				err = stores[1].DeleteApp(t.Context(), ann, rel.App)
			}
			if err != nil {
				t.Errorf("change %s: %v", rel.App, err)
				return
			}
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		all, err := stores[0].AllWanted(t.Context())
		if err != nil {
			t.Errorf("AllWanted: %v", err)
			break
		}
		for _, w := range all {
			if len(w.Formation) != w.Release.Version { // both come in one change
				t.Errorf("AllWanted has %s at v%d with formation %v, want one dyno with v1", w.App.Name, w.Release.Version, w.Formation)
			}
		}
	}
	<-done
}
