package sqlstore

import (
	"context"
	"fmt"

	"slipway/internal/state"
)

// newest picks each app's newest release.
const newest = "version = (SELECT max(version) FROM releases AS later WHERE later.app_id = releases.app_id) "

// Wanted says what should run of an app.
func (s *Store) Wanted(ctx context.Context, app string) (state.Wanted, error) {
	var w state.Wanted
	err := s.inSnapshot(ctx, func(tx session) (err error) {
		if w.App, err = tx.app(ctx, app); err != nil {
			return err
		}
		rels, err := s.releases(ctx, tx, "WHERE apps.name = ? AND "+newest, app)
		if err != nil {
			return err
		}
		if len(rels) > 0 {
			w.Release = rels[0]
		}
		w.Formation, err = tx.formations(ctx, "WHERE apps.name = ? ORDER BY type", app)
		return err
	})
	if err != nil {
		return state.Wanted{}, fmt.Errorf("what should run: %w", err)
	}
	return w, nil
}

// AllWanted says what should run of all apps, by name.
func (s *Store) AllWanted(ctx context.Context) ([]state.Wanted, error) {
	var all []state.Wanted
	err := s.inSnapshot(ctx, func(tx session) error {
		apps, err := tx.apps(ctx)
		if err != nil {
			return err
		}
		rels, err := s.releases(ctx, tx, "WHERE "+newest)
		if err != nil {
			return err
		}
		formations, err := tx.formations(ctx, "ORDER BY apps.name, type")
		if err != nil {
			return err
		}
		all = join(apps, rels, formations)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("what should run: %w", err)
	}
	return all, nil
}

func join(apps []state.App, rels []state.Release, formations []state.Formation) []state.Wanted {
	all := make([]state.Wanted, len(apps))
	byName := make(map[string]*state.Wanted, len(apps))
	for i, app := range apps {
		all[i].App = app
		byName[app.Name] = &all[i]
	}
	for _, rel := range rels {
		byName[rel.App].Release = rel
	}
	for _, f := range formations {
		byName[f.App].Formation = append(byName[f.App].Formation, f)
	}
	return all
}
