package postgres_test

import (
	"context"
	"database/sql"
	"net"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"slipway/internal/state"
	"slipway/internal/state/postgres"
	"slipway/internal/state/sqlstore"
	"slipway/internal/state/statetest"
	server "slipway/internal/testkit/postgres"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(server.Main{M: m}) }

func TestStore(t *testing.T) {
	t.Parallel()
	statetest.Run(t, func(t *testing.T) statetest.Database {
		t.Helper()
		address := server.Database(t)
		return statetest.Database{
			Open: func(ctx context.Context, sealer *state.Sealer) (*sqlstore.Store, error) {
				return postgres.Open(ctx, address, sealer)
			},
			Driver: "pgx", DSN: address,
		}
	})
}

func TestServersThatStartAtOnceMigrateOnce(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := postgres.Open(t.Context(), address, statetest.Sealer(t))
			if err != nil {
				t.Errorf("Open: %v", err)
				return
			}
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	wg.Wait()
}

func TestNewerDatabaseIsRefusedInWords(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE schema_version (version BIGINT NOT NULL); INSERT INTO schema_version VALUES (99)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := postgres.Open(t.Context(), address, statetest.Sealer(t)); err == nil || !strings.Contains(err.Error(), "newer Slipway (version 99") {
		t.Errorf("Open of version 99: %v, want words about a newer Slipway", err)
	}
}

func TestErrorsDoNotShowThePassword(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for name, address := range map[string]string{
		"nobody listens":     "postgres://ann:opensesame@" + nobody + "/state",
		"a bad port":         "postgres://ann:opensesame@host:99999999/state",
		"a slash in it":      "postgres://ann:open/opensesame@host/state",
		"a percent in it":    "postgres://ann:opensesame%zz@host/state",
		"an at in it":        "postgres://ann:@opensesame@host:x/state",
		"another scheme":     "mysql://ann:opensesame@host/state",
		"words":              "host=127.0.0.1 password=opensesame",
		"a bad setting":      "postgres://ann:opensesame@host/state?sslmode=opensesame",
		"password as a word": "postgres://" + nobody + "/state?password=opensesame",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := postgres.Open(t.Context(), address, statetest.Sealer(t))
			if err == nil {
				t.Errorf("Open = nil, want an error")
				_ = s.Close()
			} else if strings.Contains(err.Error(), "opensesame") {
				t.Errorf("Open shows the password: %v", err)
			}
		})
	}
}
