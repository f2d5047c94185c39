package statetest

import (
	"maps"
	"testing"

	"slipway/internal/state"
)

func addUsage(t *testing.T, db Database) {
	t.Helper()
	s := db.open(t)
	for _, usage := range [][]state.Usage{
		{{Account: "ann", App: "id1", Month: "2026-11", Seconds: 10}, {Account: "ann", App: "id2", Month: "2026-11", Seconds: 5}},
		{{Account: "ann", App: "id1", Month: "2026-11", Seconds: 1}, {Account: "ann", App: "id1", Month: "2026-11", Seconds: 2}},
		{{Account: "ann", App: "id1", Month: "2026-12", Seconds: 7}, {Account: "bob", App: "id3", Month: "2026-11", Seconds: 9}},
		{},
	} {
		if err := s.AddUsage(t.Context(), usage); err != nil {
			t.Fatalf("AddUsage: %v", err)
		}
	}
	for _, bad := range []state.Usage{
		{Account: "ann", App: "id1", Month: "2026-11", Seconds: -1},
		{Account: "ann", App: "id1", Month: "November"},
		{Account: "ann", Month: "2026-11"},
		{App: "id1", Month: "2026-11"},
	} {
		err := s.AddUsage(t.Context(), []state.Usage{{Account: "ann", App: "id1", Month: "2026-11", Seconds: 1000}, bad})
		is(t, "AddUsage of what cannot be", err, state.ErrInvalid)
	}
	got, err := s.Usage(t.Context(), "ann", "2026-11")
	if want := map[string]int64{"id1": 13, "id2": 5}; err != nil || !maps.Equal(got, want) {
		t.Errorf("Usage = %v, %v; want %v", got, err, want)
	}
	if got, err := s.Usage(t.Context(), "ann", "2027-01"); err != nil || len(got) != 0 {
		t.Errorf("Usage of a month to come = %v, %v; want none", got, err)
	}
}

func usageAtOnce(t *testing.T, db Database) {
	t.Helper()
	stores := twice(t, db)
	usage := []state.Usage{
		{Account: "ann", App: "id1", Month: "2026-11", Seconds: 1},
		{Account: "ann", App: "id2", Month: "2026-11", Seconds: 2},
	}
	const n = 20
	won := atOnce(t, n, nil, func(i int) error {
		mine := usage
		if i%2 == 0 { // the other way round: they must not wait for each other
			mine = []state.Usage{usage[1], usage[0]}
		}
		return stores[i%2].AddUsage(t.Context(), mine)
	})
	got, err := stores[0].Usage(t.Context(), "ann", "2026-11")
	if want := map[string]int64{"id1": n, "id2": 2 * n}; err != nil || won != n || !maps.Equal(got, want) {
		t.Errorf("Usage = %v, %v; want %v", got, err, want)
	}
}
