package sqlstore_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"slipway/internal/state"
	"slipway/internal/state/postgres"
	"slipway/internal/state/sqlite"
	"slipway/internal/state/sqlstore"
	"slipway/internal/state/statetest"
	server "slipway/internal/testkit/postgres"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(server.Main{M: m}) }

// many apps, all but a few of one owner, with two builds, a release and a
// collaborator each.
const many = `
INSERT INTO accounts (id, email, admin, created_at) SELECT 'a' || n, 'u' || n || '@example.com', false, 1 FROM numbers;
INSERT INTO apps (id, name, owner, idle, asleep, created_at) SELECT 'i' || n, 'app-' || n, CASE WHEN n <= 5 THEN 'u1@example.com' ELSE 'big' END, 0, false, 1 FROM numbers;
INSERT INTO releases (app_id, version, slug, size, commit_id, ref, old_commit, processes, config, language, language_version, by_user, description, created_at)
	SELECT 'i' || n, 1, '', 1, '', '', '', '[]', EMPTY, '', '', '', '', 1 FROM numbers;
INSERT INTO formations (app_id, type, quantity) SELECT 'i' || n, 'web', 1 FROM numbers;
INSERT INTO builds (id, app_id, commit_id, ref, status, by_user, slug, version, source, created_at, updated_at)
	SELECT 'b' || n, 'i' || n, '', '', 'failed', '', '', 0, '', 1, n FROM numbers;
INSERT INTO collaborators (app_id, email, id, created_at) SELECT 'i' || n, 'u' || n || '@example.com', 'c' || n, 1 FROM numbers;
INSERT INTO tokens (id, by_user, description, hash, hint, created_at, expires_at) SELECT 't' || n, 'u' || n || '@example.com', '', 'h' || n, '', 1, 0 FROM numbers;
INSERT INTO keys (fingerprint, public, comment, by_user, created_at) SELECT 'k' || n, '', '', 'u' || n || '@example.com', 1 FROM numbers;
`

// A database's plans, and what in them says that a table was read whole.
type plans struct {
	driver, dsn, setup, explain string
	whole                       *regexp.Regexp
	open                        func() (*sqlstore.Store, error)
}

func TestCostOfQueriesDoesNotGrowWithTheNumberOfApps(t *testing.T) {
	t.Parallel()
	path, address := filepath.Join(t.TempDir(), "state.db"), server.Database(t)
	sealer := statetest.Sealer(t)
	for name, db := range map[string]plans{
		"SQLite": {
			driver: "sqlite", dsn: "file:" + path, explain: "EXPLAIN QUERY PLAN",
			setup: strings.NewReplacer("EMPTY", "x''", "FROM numbers", "FROM (WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100) SELECT n FROM c)").Replace(many),
			whole: regexp.MustCompile(`^SCAN (apps|builds|collaborators|accounts|tokens|keys|releases|formations)$`),
			open:  func() (*sqlstore.Store, error) { return sqlite.Open(t.Context(), path, sealer) },
		},
		"PostgreSQL": {
			driver: "pgx", dsn: address, explain: "EXPLAIN",
			setup: strings.NewReplacer("EMPTY", "''", "FROM numbers", "FROM generate_series(1, 10000) AS n").Replace(many) + "ANALYZE;",
			whole: regexp.MustCompile(`Seq Scan`),
			open:  func() (*sqlstore.Store, error) { return postgres.Open(t.Context(), address, sealer) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db.test(t)
		})
	}
}

func (db plans) test(t *testing.T) {
	t.Helper()
	s, err := db.open()
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	defer func() { _ = s.Close() }()
	raw, err := sql.Open(db.driver, db.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	if _, err := raw.ExecContext(t.Context(), db.setup); err != nil {
		t.Fatalf("fill: %v", err)
	}
	s = s.Explained(db.explain, func(query string, plan *sql.Rows) error {
		lines, err := read(plan)
		for _, line := range lines {
			if db.whole.MatchString(line) {
				t.Errorf("plan of %s has %q, want indexes only:\n%s", query, line, strings.Join(lines, "\n"))
			}
		}
		return err
	})
	ask(t, s)
}

// read returns the last column of each line of a plan.
func read(plan *sql.Rows) (lines []string, err error) {
	columns, err := plan.Columns()
	if err != nil {
		return nil, err
	}
	for plan.Next() {
		into := make([]any, len(columns))
		for i := range into {
			into[i] = new(any)
		}
		if err := plan.Scan(into...); err != nil {
			return nil, err
		}
		lines = append(lines, fmt.Sprint(*into[len(into)-1].(*any)))
	}
	return lines, plan.Err()
}

// ask makes each query that must not read a table whole.
func ask(t *testing.T, s *sqlstore.Store) {
	t.Helper()
	ctx := t.Context()
	const user, app = "u3@example.com", "app-7"
	for _, by := range []string{"name", "id"} {
		for _, who := range []string{"", "u1@example.com", "big"} {
			for _, p := range []state.Page{{By: by, Max: 10}, {By: by, Max: 10, Desc: true, From: map[string]string{"name": "app-5", "id": "i5"}[by], After: true}} {
				if _, err := s.AppsPage(ctx, who, p); err != nil {
					t.Errorf("AppsPage(%q, %+v): %v", who, p, err)
				}
			}
		}
	}
	for what, query := range map[string]func() error{
		"MayUse":        func() error { _, err := s.MayUse(ctx, user, app); return err },
		"App":           func() error { _, err := s.App(ctx, app); return err },
		"AppByID":       func() error { _, err := s.AppByID(ctx, "i7"); return err },
		"Builds":        func() error { _, err := s.Builds(ctx, app, 10); return err },
		"Build":         func() error { _, err := s.Build(ctx, app, "b7"); return err },
		"Releases":      func() error { _, err := s.Releases(ctx, app, 10); return err },
		"Formation":     func() error { _, err := s.Formation(ctx, app); return err },
		"Collaborators": func() error { _, err := s.Collaborators(ctx, app); return err },
		"AccountOf":     func() error { _, err := s.AccountOf(ctx, user); return err },
		"TokenOf":       func() error { _, err := s.TokenOf(ctx, "h7"); return err },
		"Tokens":        func() error { _, err := s.Tokens(ctx, user); return err },
		"Keys":          func() error { _, err := s.Keys(ctx, user); return err },
		"Key":           func() error { _, err := s.Key(ctx, "k7"); return err },
	} {
		if err := query(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}
