package sqlstore

import (
	"context"
	"database/sql"
	"errors"
)

// Explained returns a store that, before each query, runs it behind explain and
// gives the lines that come of it to see.
func (s *Store) Explained(explain string, see func(query string, plan *sql.Rows) error) *Store {
	explained := *s
	explained.on = explainer{DB: s.db, explain: explain, see: see}
	return &explained
}

type explainer struct {
	*sql.DB

	explain string
	see     func(query string, plan *sql.Rows) error
}

func (e explainer) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := e.ask(ctx, query, args); err != nil {
		return nil, err
	}
	return e.DB.QueryContext(ctx, query, args...)
}

func (e explainer) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if err := e.ask(ctx, query, args); err != nil {
		panic(err)
	}
	return e.DB.QueryRowContext(ctx, query, args...)
}

func (e explainer) ask(ctx context.Context, query string, args []any) error {
	plan, err := e.DB.QueryContext(ctx, e.explain+" "+query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = plan.Close() }()
	return errors.Join(e.see(query, plan), plan.Err())
}
