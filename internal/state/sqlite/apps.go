package sqlite

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"slipway/internal/state"
)

// CreateApp records a new app and returns it with its ID. The name must pass
// [state.CheckName]; [state.ErrTaken] says that another app has it.
func (s *Store) CreateApp(ctx context.Context, app state.App) (state.App, error) {
	if err := state.CheckName(app.Name); err != nil {
		return state.App{}, err
	}
	app.ID = uuid.NewString()
	_, err := s.db.ExecContext(ctx, "INSERT INTO apps (id, name, owner, created_at) VALUES (?, ?, ?, ?)",
		app.ID, app.Name, app.Owner, app.Created.UnixMicro())
	if err != nil {
		return state.App{}, fmt.Errorf("create app %s: %w", app.Name, translate(err))
	}
	return app, nil
}

// App finds an app by its name.
func (s *Store) App(ctx context.Context, name string) (state.App, error) {
	app := state.App{Name: name}
	var created int64
	err := s.db.QueryRowContext(ctx, "SELECT id, owner, created_at FROM apps WHERE name = ?", name).
		Scan(&app.ID, &app.Owner, &created)
	if err != nil {
		return state.App{}, fmt.Errorf("app %q: %w", name, translate(err))
	}
	app.Created = fromUnix(created)
	return app, nil
}

// Apps lists all apps by name.
func (s *Store) Apps(ctx context.Context) ([]state.App, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT id, name, owner, created_at FROM apps ORDER BY name")
	if err != nil {
		return nil, fmt.Errorf("list apps: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var apps []state.App
	for rows.Next() {
		var app state.App
		var created int64
		if err := rows.Scan(&app.ID, &app.Name, &app.Owner, &created); err != nil {
			return nil, fmt.Errorf("list apps: %w", err)
		}
		app.Created = fromUnix(created)
		apps = append(apps, app)
	}
	return apps, rows.Err()
}

// DeleteApp forgets an app and its releases.
func (s *Store) DeleteApp(ctx context.Context, name string) error {
	res, err := s.db.ExecContext(ctx, "DELETE FROM apps WHERE name = ?", name)
	if err != nil {
		return fmt.Errorf("delete app %s: %w", name, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return fmt.Errorf("delete app %q: %w", name, state.ErrNotFound)
	}
	return nil
}
