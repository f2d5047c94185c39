package sqlstore

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"slipway/internal/state"
)

// AddDrain records a drain and returns it with its ID and token.
// [state.ErrTaken] says that the app has a drain with that address.
func (s *Store) AddDrain(ctx context.Context, by state.Actor, d state.Drain) (state.Drain, error) {
	err := state.CheckDrain(d.URL)
	if err == nil {
		d.ID, d.Token, d.Created = uuid.NewString(), "d."+uuid.NewString(), stamp(d.Created)
		err = s.change(ctx, by, d.App, "drain.create", func(tx session, appID string) (string, error) {
			return d.Target(), s.addDrain(ctx, tx, appID, d)
		})
	}
	if err != nil {
		return state.Drain{}, fmt.Errorf("add drain: %w", err)
	}
	return d, nil
}

func (s *Store) addDrain(ctx context.Context, tx session, appID string, d state.Drain) error {
	if err := tx.room(ctx, "drains", appID, state.MaxDrains); err != nil {
		return err
	}
	all, err := s.drains(ctx, tx, "WHERE apps.id = ?", appID)
	if err != nil {
		return err
	}
	for _, other := range all { // the database cannot tell: the addresses are sealed
		if other.URL == d.URL {
			return state.ErrTaken
		}
	}
	return tx.exec(ctx, "INSERT INTO drains (id, app_id, url, token, created_at) VALUES (?, ?, ?, ?, ?)",
		d.ID, appID, s.sealer.Seal(appID, []byte(d.URL)), d.Token, d.Created.UnixMicro())
}

// Drains lists the drains of an app, oldest first.
func (s *Store) Drains(ctx context.Context, app string) ([]state.Drain, error) {
	return s.drains(ctx, s.session, "WHERE apps.name = ? ORDER BY drains.created_at, drains.id", app)
}

// AllDrains lists the drains of all apps, oldest first.
func (s *Store) AllDrains(ctx context.Context) ([]state.Drain, error) {
	return s.drains(ctx, s.session, "ORDER BY drains.created_at, drains.id")
}

func (s *Store) drains(ctx context.Context, on session, where string, args ...any) ([]state.Drain, error) {
	all, err := list(ctx, on, s.scanDrain, `SELECT drains.id, apps.id, apps.name, url, token, drains.created_at
		FROM drains JOIN apps ON apps.id = drains.app_id `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("list drains: %w", err)
	}
	return all, nil
}

func (s *Store) scanDrain(row scanner) (d state.Drain, err error) {
	var appID string
	var sealed []byte
	var created int64
	if err := row.Scan(&d.ID, &appID, &d.App, &sealed, &d.Token, &created); err != nil {
		return state.Drain{}, err
	}
	address, err := s.sealer.Open(appID, sealed)
	if err != nil {
		return state.Drain{}, fmt.Errorf("read address of drain %s: %w", d.ID, err)
	}
	d.URL, d.Created = string(address), fromUnix(created)
	return d, nil
}

// DeleteDrain forgets a drain of an app, which is named by its ID or address.
func (s *Store) DeleteDrain(ctx context.Context, by state.Actor, app, idOrURL string) error {
	err := s.change(ctx, by, app, "drain.delete", func(tx session, appID string) (string, error) {
		all, err := s.drains(ctx, tx, "WHERE apps.id = ?", appID)
		if err != nil {
			return "", err
		}
		for _, d := range all {
			if idOrURL == d.ID || idOrURL == d.URL {
				return d.Target(), tx.execOne(ctx, "DELETE FROM drains WHERE id = ?", d.ID)
			}
		}
		return "", state.ErrNotFound
	})
	if err != nil {
		return fmt.Errorf("remove drain: %w", err) // its address may hold a password
	}
	return nil
}
