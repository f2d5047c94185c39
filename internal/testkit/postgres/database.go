package postgres

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
)

// Main runs a binary's tests, and stops the server that they started.
type Main struct {
	M interface{ Run() int }
}

// Run returns the exit code of the tests, or 1 if the server did not stop well.
func (m Main) Run() int {
	shared.Lock()
	shared.inMain = true
	shared.Unlock()
	code := m.M.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil {
		return code
	}
	if err := shared.cluster.stop(); err != nil {
		fmt.Fprintf(os.Stderr, "stop PostgreSQL: %v\n", err) // no test is left that could fail
		return max(code, 1)
	}
	return code
}

// shared is the server of this test binary.
var shared struct {
	sync.Mutex
	inMain  bool
	cluster *cluster
	err     error // why it did not start: told to each test
}

// Database makes an empty database, which goes with the test, and returns its
// address, postgres://….
func Database(tb testing.TB) string {
	tb.Helper()
	if testing.Short() {
		tb.Skip("needs a PostgreSQL server: not with -short")
	}
	c := start(tb)
	name := "test_" + strings.ToLower(rand.Text())
	if err := c.sql(tb.Context(), "CREATE DATABASE "+name); err != nil {
		tb.Fatalf("make database: %v", err)
	}
	tb.Cleanup(func() {
		if err := c.sql(context.WithoutCancel(tb.Context()), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			tb.Errorf("remove database: %v", err)
		}
	})
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", c.port, name)
}

// start starts the server, once.
func start(tb testing.TB) *cluster {
	tb.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.inMain {
		tb.Fatal("PostgreSQL would stay when the tests end: write func TestMain(m *testing.M) { os.Exit(postgres.Main{M: m}.Run()) }")
	}
	if shared.cluster == nil && shared.err == nil {
		// Other tests use it after this one.
		shared.cluster, shared.err = newCluster(context.WithoutCancel(tb.Context()))
	}
	if shared.err != nil {
		tb.Fatalf("start PostgreSQL: %v", shared.err)
	}
	return shared.cluster
}
