package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"slipway/internal/state"
)

// Formation lists how many dynos of an app are wanted, by process type.
func (s *Store) Formation(ctx context.Context, app string) ([]state.Formation, error) {
	return s.formations(ctx, "WHERE apps.name = ? ORDER BY type", app)
}

// SetFormation sets how many dynos of the given process types are wanted. Other
// types stay as they are. The app's name is not read from the formation.
func (s *Store) SetFormation(ctx context.Context, by state.Actor, app string, formation []state.Formation) error {
	err := state.CheckFormation(formation)
	if err == nil {
		err = s.change(ctx, by, app, "formation.update", func(tx session, appID string) (string, error) {
			return tx.setFormation(ctx, appID, formation)
		})
	}
	if err != nil {
		return fmt.Errorf("scale %s: %w", app, err)
	}
	return nil
}

func (s session) setFormation(ctx context.Context, appID string, formation []state.Formation) (details string, err error) {
	var words []string
	for _, f := range formation {
		err := s.exec(ctx, `INSERT INTO formations (app_id, type, quantity) VALUES (?, ?, ?)
			ON CONFLICT (app_id, type) DO UPDATE SET quantity = excluded.quantity`, appID, f.Type, f.Quantity)
		if err != nil {
			return "", err
		}
		words = append(words, fmt.Sprintf("%s=%d", f.Type, f.Quantity))
	}
	all, err := s.formations(ctx, "WHERE apps.id = ? ORDER BY type", appID)
	if err == nil {
		err = state.CheckFormation(all) // the types of all calls together
	}
	slices.Sort(words)
	return strings.Join(words, " "), err
}

func (s session) formations(ctx context.Context, where string, args ...any) ([]state.Formation, error) {
	all, err := list(ctx, s, scanFormation,
		"SELECT apps.name, type, quantity FROM formations JOIN apps ON apps.id = formations.app_id "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("list formation: %w", err)
	}
	return all, nil
}

func scanFormation(row scanner) (f state.Formation, err error) {
	err = row.Scan(&f.App, &f.Type, &f.Quantity)
	return f, err
}
