package postgres_test

import (
	"net"
	"net/url"
	"os"
	"testing"

	"slipway/internal/testkit/postgres"
)

func TestMain(m *testing.M) { os.Exit(postgres.Main{M: m}.Run()) }

func TestDatabasesAreOnOneServer(t *testing.T) {
	first, second := address(t), address(t)
	if first.Host != second.Host || first.Path == second.Path {
		t.Errorf("Database = %s and %s, want two of one server", first, second)
	}
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", first.Host)
	if err != nil {
		t.Fatalf("dial %s: %v", first.Host, err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}

func address(t *testing.T) *url.URL {
	t.Helper()
	u, err := url.Parse(postgres.Database(t))
	if err != nil || u.Scheme != "postgres" {
		t.Fatalf("Database = %v, %v; want postgres://…", u, err)
	}
	return u
}
