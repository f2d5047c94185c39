package apitest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"slipway/internal/state/sqlite"
	"slipway/internal/state/sqlstore"
	"slipway/internal/state/statetest"
)

// filled is a database with what all servers have, once it was made: that takes
// longer than most tests.
var filled struct {
	sync.Mutex
	database []byte
}

// openStore opens a copy of it.
func openStore(ctx context.Context, t *testing.T) *sqlstore.Store {
	t.Helper()
	file := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(file, fillOnce(ctx, t), 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(ctx, file, statetest.Sealer(t))
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func fillOnce(ctx context.Context, t *testing.T) []byte {
	t.Helper()
	filled.Lock()
	defer filled.Unlock()
	if filled.database != nil {
		return filled.database
	}
	file := filepath.Join(t.TempDir(), "filled.db")
	store, err := sqlite.Open(ctx, file, statetest.Sealer(t))
	if err != nil {
		t.Fatal(err)
	}
	fill(ctx, t, store)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if filled.database, err = os.ReadFile(file); err != nil {
		t.Fatal(err)
	}
	return filled.database
}
