package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"slipway/internal/state"
	"slipway/internal/state/sqlite"
	"slipway/internal/state/sqlstore"
	"slipway/internal/state/statetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStore(t *testing.T) {
	t.Parallel()
	statetest.Run(t, func(t *testing.T) statetest.Database {
		t.Helper()
		path := filepath.Join(t.TempDir(), "state.db")
		return statetest.Database{
			Open: func(ctx context.Context, sealer *state.Sealer) (*sqlstore.Store, error) {
				return sqlite.Open(ctx, path, sealer)
			},
			Driver: "sqlite", DSN: "file:" + path + "?_pragma=busy_timeout(10000)",
		}
	})
}

func TestPathMayHoldWhatAnAddressCannot(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a b?&#%.db")
	s, err := sqlite.Open(t.Context(), path, statetest.Sealer(t))
	if err != nil {
		t.Fatalf("Open(%q): %v", path, err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file that was opened: %v", err)
	}
}

// older makes a file as the first version did, with an app, a release and a key.
func older(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile("migrations/0001_apps.sql")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "state.db")
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		string(script), "PRAGMA user_version = 1", "PRAGMA journal_mode = WAL",
		"INSERT INTO apps (id, name, owner, created_at) VALUES ('id1', 'shop', 'ann', 5)",
		`INSERT INTO releases (app_id, version, slug, size, commit_id, ref, old_commit, processes, language, language_version, user, description, created_at)
			VALUES ('id1', 1, 'sha256:aa', 7, 'aa', 'refs/heads/main', '0', '[{"type":"web","command":"run"}]', 'python', '3.13.1', 'ann', 'Deploy', 6)`,
		"INSERT INTO keys (fingerprint, public, comment, user, created_at) VALUES ('SHA256:x', 'ssh-ed25519 AAAA', 'home', 'ann', 7)",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%.40s: %v", statement, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOlderFileKeepsWhatItHolds(t *testing.T) {
	t.Parallel()
	s, err := sqlite.Open(t.Context(), older(t), statetest.Sealer(t))
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	defer func() { _ = s.Close() }()
	w, err := s.Wanted(t.Context(), "shop")
	if err != nil || w.App.ID != "id1" || w.App.Idle != 0 || w.App.Asleep || w.App.Created.UnixMicro() != 5 {
		t.Errorf("Wanted = %+v, %v; want the app as it was", w.App, err)
	}
	if w.App.Released.UnixMicro() != 6 || w.App.Updated.UnixMicro() != 6 || w.App.Maintenance {
		t.Errorf("Wanted = %+v, want an app that its release updated", w.App)
	}
	rel := w.Release
	if rel.Version != 1 || rel.User != "ann" || len(rel.Config) != 0 || rel.Processes[0].Command != "run" || rel.Created.UnixMicro() != 6 {
		t.Errorf("Wanted = %+v, want the release as it was, without config vars", rel)
	}
	if key, err := s.Key(t.Context(), "SHA256:x"); err != nil || key.User != "ann" || key.Comment != "home" {
		t.Errorf("Key = %+v, %v; want ann's", key, err)
	}
	next := state.Release{App: "shop", Slug: "sha256:bb", Config: map[string]string{"A": "b"}}
	if rel, err := s.AddRelease(t.Context(), state.Actor{User: "bob"}, next, 1); err != nil || rel.Version != 2 {
		t.Errorf("AddRelease = v%d, %v; want v2", rel.Version, err)
	}
}

func TestNewerFileIsRefusedInWords(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), path, statetest.Sealer(t)); err == nil || !strings.Contains(err.Error(), "newer Slipway (version 99") {
		t.Errorf("Open of version 99: %v, want words about a newer Slipway", err)
	}
}

func TestFileThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), path, statetest.Sealer(t)); err == nil || errors.Is(err, state.ErrWrongKey) {
		t.Errorf("Open of a file of text: %v, want an error", err)
	}
}
