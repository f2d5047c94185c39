package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"net/url"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"slipway/internal/state"
	"slipway/internal/state/sqlstore"
)

//go:embed migrations/*.sql
var migrations embed.FS

// A Store is an open database file.
type Store = sqlstore.Store

// Open opens the database file at path, makes it if it is missing, and brings
// its tables up to date. The caller closes the Store. The secrets in it are
// sealed with sealer; the error is [state.ErrWrongKey] if they were with another.
func Open(ctx context.Context, path string, sealer *state.Sealer) (*Store, error) {
	pragmas := url.Values{"_pragma": {
		"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "busy_timeout(10000)",
	}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+pragmas.Encode())
	if err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	db.SetMaxOpenConns(4)
	return sqlstore.Open(ctx, db, dialect, sealer)
}

// Transactions that write are serial here (_txlock), hence no ForUpdate. The
// file remembers the migrations in its user_version.
var dialect = sqlstore.Dialect{
	Taken:        taken,
	Migrations:   migrations,
	ReadVersion:  "PRAGMA user_version",
	WriteVersion: "PRAGMA user_version = %d",
}

func taken(err error) bool {
	var coded *sqlite.Error
	return errors.As(err, &coded) && (coded.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE ||
		coded.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}
