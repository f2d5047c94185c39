package postgres

import (
	"context"
	"embed"
	"errors"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"slipway/internal/state"
	"slipway/internal/state/sqlstore"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	maxConns       = 16
	connectTimeout = 10 * time.Second
	maxIdleTime    = 5 * time.Minute
	maxLifetime    = time.Hour // so that a server behind a name that moves is found
)

// settings of each connection: no wait for a lock without end, nor a
// transaction that holds one while nobody speaks.
const settings = "SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '60s'"

// A Store is an open database.
type Store = sqlstore.Store

// errAddress hides its cause, which may show a part of the password.
var errAddress = errors.New("open state: the address of the PostgreSQL database cannot be read: " +
	"give one such as postgres://USER:PASSWORD@HOST:5432/DATABASE, with what is special in the password written as %XX")

// Open connects to the database at address, postgres://USER:PASSWORD@HOST/DATABASE,
// and brings its tables up to date. The caller closes the Store. The secrets in
// it are sealed with sealer; the error is [state.ErrWrongKey] if they were with
// another. No error shows the password.
func Open(ctx context.Context, address string, sealer *state.Sealer) (*Store, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, errAddress
	}
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, errAddress
	}
	if !u.Query().Has("connect_timeout") {
		config.ConnectTimeout = connectTimeout
	}
	db := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, settings)
		return err
	}))
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns)
	db.SetConnMaxIdleTime(maxIdleTime)
	db.SetConnMaxLifetime(maxLifetime)
	return sqlstore.Open(ctx, db, dialect, sealer)
}

// The advisory lock keeps other processes from migrating; its number is ours
// and nobody's else. It ends with the transaction, as does the time to wait for it.
var dialect = sqlstore.Dialect{
	Numbered:   true,
	ForUpdate:  " FOR UPDATE",
	Taken:      taken,
	Migrations: migrations,
	BeforeMigration: []string{
		"SET LOCAL lock_timeout = '60s'",
		"SELECT pg_advisory_xact_lock(8318334821690372)",
		"CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)",
		"INSERT INTO schema_version (version) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM schema_version)",
	},
	ReadVersion:  "SELECT version FROM schema_version",
	WriteVersion: "UPDATE schema_version SET version = %d",
}

// uniqueViolation is a code of PostgreSQL's, appendix A of its manual.
const uniqueViolation = "23505"

func taken(err error) bool {
	var coded *pgconn.PgError
	return errors.As(err, &coded) && coded.Code == uniqueViolation
}
