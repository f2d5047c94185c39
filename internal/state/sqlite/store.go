package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"slipway/internal/state"
)

//go:embed migrations/*.sql
var migrations embed.FS

// A Store is an open database file.
type Store struct {
	db *sql.DB
}

// Open opens the database file at path, makes it if it is missing, and brings
// its tables up to date. The caller closes the Store.
func Open(ctx context.Context, path string) (*Store, error) {
	pragmas := url.Values{"_pragma": {
		"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "busy_timeout(10000)",
	}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+pragmas.Encode())
	if err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	db.SetMaxOpenConns(4)
	s := &Store{db: db}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

// migrate runs the migrations that the file has not seen, each in a transaction
// of its own. The file remembers how many in its user_version.
func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return fmt.Errorf("list migrations: %w", err)
	}
	var done int
	if err := s.db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&done); err != nil {
		return fmt.Errorf("read state's version: %w", err)
	}
	if done > len(files) {
		return fmt.Errorf("the state is of a newer Slipway (version %d, this one knows %d): run that one", done, len(files))
	}
	for i, name := range files[done:] {
		script, err := migrations.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		version := fmt.Sprintf("PRAGMA user_version = %d", done+i+1)
		err = s.inTx(ctx, func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, string(script)); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, version)
			return err
		})
		if err != nil {
			return fmt.Errorf("migrate %s: %w", name, err)
		}
	}
	return nil
}

func (s *Store) inTx(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// translate turns the driver's errors into the nouns' errors.
func translate(err error) error {
	var coded *sqlite.Error
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return state.ErrNotFound
	case errors.As(err, &coded) && (coded.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE ||
		coded.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY):
		return state.ErrTaken
	}
	return err
}

func fromUnix(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
