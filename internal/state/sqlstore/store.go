package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"slipway/internal/state"
)

// A Store is an open database.
type Store struct {
	session

	db     *sql.DB
	sealer *state.Sealer
}

// Open brings the tables of a database up to date and returns a Store, which
// owns db from now on: it is closed here if that fails, else by Close. The
// secrets in it must have been sealed with sealer, else the error is
// [state.ErrWrongKey].
func Open(ctx context.Context, db *sql.DB, dialect Dialect, sealer *state.Sealer) (*Store, error) {
	s := &Store{session: session{on: db, dialect: &dialect}, db: db, sealer: sealer}
	err := s.migrate(ctx)
	if err == nil {
		err = s.checkKey(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// inTx runs do in a transaction that may write.
func (s *Store) inTx(ctx context.Context, do func(session) error) error {
	return s.begin(ctx, nil, do)
}

// inSnapshot runs do in a transaction that only reads, and sees one moment.
func (s *Store) inSnapshot(ctx context.Context, do func(session) error) error {
	return s.begin(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}, do)
}

func (s *Store) begin(ctx context.Context, opts *sql.TxOptions, do func(session) error) error {
	tx, err := s.db.BeginTx(ctx, opts)
	if err != nil {
		return err
	}
	if err := do(session{on: tx, dialect: s.dialect}); err != nil {
		if failed := tx.Rollback(); failed != nil && !errors.Is(failed, sql.ErrTxDone) {
			return errors.Join(err, failed)
		}
		return err
	}
	return tx.Commit()
}

// stamp is a moment as it is stored: in microseconds, now if it is zero.
func stamp(t time.Time) time.Time {
	if t.IsZero() {
		t = time.Now()
	}
	return t.UTC().Truncate(time.Microsecond)
}

func fromUnix(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// toUnix and fromUnixOrZero keep a moment that may be none, which is 0.
func toUnix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromUnixOrZero(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return fromUnix(micros)
}
