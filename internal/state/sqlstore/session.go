package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"slipway/internal/state"
)

// A session runs statements, in a transaction or outside. Its errors are
// those of package state, where there is one that fits.
type session struct {
	on interface {
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
		QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	}
	dialect *Dialect
}

// exec runs a statement.
func (s session) exec(ctx context.Context, query string, args ...any) error {
	_, err := s.on.ExecContext(ctx, s.dialect.rebind(query), clean(args)...)
	return s.translate(err)
}

// execOne runs a statement that must change a row: [state.ErrNotFound] says
// that it did not.
func (s session) execOne(ctx context.Context, query string, args ...any) error {
	res, err := s.on.ExecContext(ctx, s.dialect.rebind(query), clean(args)...)
	if err != nil {
		return s.translate(err)
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return state.ErrNotFound
	}
	return err
}

// one reads one row; [state.ErrNotFound] says that there is none.
func (s session) one(ctx context.Context, into []any, query string, args ...any) error {
	return s.translate(s.on.QueryRowContext(ctx, s.dialect.rebind(query), clean(args)...).Scan(into...))
}

// list reads all rows, each with scan.
func list[T any](ctx context.Context, s session, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := s.on.QueryContext(ctx, s.dialect.rebind(query), clean(args)...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// A scanner is a row to be read.
type scanner interface{ Scan(into ...any) error }

// clean replaces what PostgreSQL cannot store in a text (SQLite could): bytes
// that are no UTF-8, and zeros.
func clean(args []any) []any {
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
		}
	}
	return args
}

func (s session) translate(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return state.ErrNotFound
	case s.dialect.Taken(err):
		return state.ErrTaken
	}
	return err
}
