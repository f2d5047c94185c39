package sqlstore

import (
	"context"
	"fmt"
	"math"
	"time"

	"slipway/internal/state"
)

// change runs do in a transaction that holds the app, and audits it with the
// details that do returns. Other changes of the app wait. The app's Updated is
// now, unless do has deleted it.
func (s *Store) change(ctx context.Context, by state.Actor, app, action string, do func(tx session, appID string) (details string, err error)) error {
	return s.inTx(ctx, func(tx session) error {
		appID, err := tx.holdApp(ctx, app)
		if err != nil {
			return err
		}
		details, err := do(tx, appID)
		if err != nil {
			return err
		}
		if err := tx.exec(ctx, "UPDATE apps SET updated_at = ? WHERE id = ?", time.Now().UnixMicro(), appID); err != nil {
			return err
		}
		return tx.audit(ctx, by, app, action, details)
	})
}

// holdApp returns the ID of an app, which nobody else changes until the
// transaction ends.
func (s session) holdApp(ctx context.Context, name string) (id string, err error) {
	err = s.one(ctx, []any{&id}, "SELECT id FROM apps WHERE name = ?"+s.dialect.ForUpdate, name)
	if err != nil {
		return "", fmt.Errorf("app %q: %w", name, err)
	}
	return id, nil
}

func (s session) audit(ctx context.Context, by state.Actor, app, action, details string) error {
	return s.exec(ctx, "INSERT INTO audits (at, by_user, by_from, app, action, details) VALUES (?, ?, ?, ?, ?, ?)",
		time.Now().UnixMicro(), by.User, by.From, app, action, details)
}

// Audits lists who changed what of an app ("" for all that was changed), newest
// first; all of it if limit is 0. Audits outlive their app, and an app of the
// same name has them too.
func (s *Store) Audits(ctx context.Context, app string, limit int) ([]state.Audit, error) {
	query, args := "SELECT id, at, by_user, by_from, app, action, details FROM audits", []any{}
	if app != "" {
		query, args = query+" WHERE app = ?", append(args, app)
	}
	all, err := list(ctx, s.session, scanAudit, query+" ORDER BY id DESC LIMIT ?", append(args, atMost(limit))...)
	if err != nil {
		return nil, fmt.Errorf("list audits: %w", err)
	}
	return all, nil
}

func scanAudit(row scanner) (a state.Audit, err error) {
	var at int64
	err = row.Scan(&a.ID, &at, &a.Actor.User, &a.Actor.From, &a.App, &a.Action, &a.Details)
	a.At = fromUnix(at)
	return a, err
}

// atMost is what LIMIT takes: 0 is no limit to our callers.
func atMost(limit int) int64 {
	if limit <= 0 {
		return math.MaxInt64
	}
	return int64(limit)
}
