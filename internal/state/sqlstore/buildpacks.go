package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"slipway/internal/state"
)

// SetBuildpacks sets the buildpacks of an app, in their order. With none, its
// files decide.
func (s *Store) SetBuildpacks(ctx context.Context, by state.Actor, app string, names []string) error {
	err := state.CheckBuildpacks(names)
	if err == nil {
		err = s.change(ctx, by, app, "buildpacks.update", func(tx session, appID string) (string, error) {
			return buildpacksInWords(names), s.setBuildpacks(ctx, tx, appID, names)
		})
	}
	if err != nil {
		return fmt.Errorf("set buildpacks of %s: %w", app, err)
	}
	return nil
}

func (s *Store) setBuildpacks(ctx context.Context, tx session, appID string, names []string) error {
	list, err := json.Marshal(append([]string{}, names...)) // never null
	if err != nil {
		return err
	}
	return tx.exec(ctx, `INSERT INTO buildpacks (app_id, names, set_at) VALUES (?, ?, ?)
		ON CONFLICT (app_id) DO UPDATE SET names = excluded.names, set_at = excluded.set_at`, appID, s.sealer.Seal(appID, list), time.Now().UnixMicro())
}

// buildpacksInWords leaves queries of addresses out, in which secrets may be.
func buildpacksInWords(names []string) string {
	if len(names) == 0 {
		return "as the app's files ask for"
	}
	words := make([]string, len(names))
	for i, name := range names {
		words[i], _, _ = strings.Cut(name, "?")
	}
	return strings.Join(words, ", ")
}

// Buildpacks are those that an app was set to use.
func (s *Store) Buildpacks(ctx context.Context, app string) (state.Buildpacks, error) {
	var appID string
	var sealed []byte
	var set int64
	err := s.one(ctx, []any{&appID, &sealed, &set},
		"SELECT apps.id, names, set_at FROM buildpacks JOIN apps ON apps.id = buildpacks.app_id WHERE apps.name = ?", app)
	if errors.Is(err, state.ErrNotFound) {
		return state.Buildpacks{}, nil
	}
	b := state.Buildpacks{Set: fromUnix(set)}
	if err == nil {
		b.Names, err = s.openNames(appID, sealed)
	}
	if err != nil {
		return state.Buildpacks{}, fmt.Errorf("read buildpacks of %s: %w", app, err)
	}
	return b, nil
}

func (s *Store) openNames(appID string, sealed []byte) (names []string, err error) {
	list, err := s.sealer.Open(appID, sealed)
	if err == nil {
		err = json.Unmarshal(list, &names)
	}
	return names, err
}
