package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"slipway/internal/state"
)

// CreateApp records a new app and returns it with its ID. The name must pass
// [state.CheckName]; [state.ErrTaken] says that another app has it.
func (s *Store) CreateApp(ctx context.Context, by state.Actor, app state.App) (state.App, error) {
	if err := state.CheckName(app.Name); err != nil {
		return state.App{}, err
	}
	app.ID, app.Created = uuid.NewString(), stamp(app.Created)
	app.Updated, app.Released = app.Created, time.Time{}
	err := s.inTx(ctx, func(tx session) error {
		err := tx.exec(ctx, `INSERT INTO apps (id, name, owner, idle, asleep, maintenance, created_at, updated_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, app.ID, app.Name, app.Owner, int64(app.Idle), app.Asleep, app.Maintenance,
			app.Created.UnixMicro(), app.Updated.UnixMicro())
		if err != nil {
			return err
		}
		return tx.audit(ctx, by, app.Name, "app.create", "owner "+app.Owner)
	})
	if err != nil {
		return state.App{}, fmt.Errorf("create app %s: %w", app.Name, err)
	}
	return app, nil
}

const (
	appColumns = "apps.id, name, owner, idle, asleep, maintenance, apps.created_at, updated_at, released_at"
	selectApps = "SELECT " + appColumns + " FROM apps "
)

func scanApp(row scanner) (app state.App, err error) {
	var idle, created, updated, released int64
	err = row.Scan(&app.ID, &app.Name, &app.Owner, &idle, &app.Asleep, &app.Maintenance, &created, &updated, &released)
	app.Idle, app.Created = time.Duration(idle), fromUnix(created)
	app.Updated, app.Released = fromUnix(updated), fromUnixOrZero(released)
	return app, err
}

// App finds an app by its name.
func (s *Store) App(ctx context.Context, name string) (state.App, error) {
	return s.app(ctx, name)
}

// AppByID finds an app by its ID.
func (s *Store) AppByID(ctx context.Context, id string) (state.App, error) {
	return s.appWhere(ctx, "id = ?", id)
}

func (s session) app(ctx context.Context, name string) (state.App, error) {
	return s.appWhere(ctx, "name = ?", name)
}

func (s session) appWhere(ctx context.Context, where, value string) (state.App, error) {
	all, err := list(ctx, s, scanApp, selectApps+"WHERE apps."+where, value)
	if err == nil && len(all) == 0 {
		err = state.ErrNotFound
	}
	if err != nil {
		return state.App{}, fmt.Errorf("app %q: %w", value, err)
	}
	return all[0], nil
}

// Apps lists all apps by name.
func (s *Store) Apps(ctx context.Context) ([]state.App, error) {
	return s.apps(ctx)
}

func (s session) apps(ctx context.Context) ([]state.App, error) {
	all, err := list(ctx, s, scanApp, selectApps+"ORDER BY name")
	if err != nil {
		return nil, fmt.Errorf("list apps: %w", err)
	}
	return all, nil
}

// DeleteApp forgets an app and all that belongs to it, but for its audits and
// its usage.
func (s *Store) DeleteApp(ctx context.Context, by state.Actor, name string) error {
	err := s.change(ctx, by, name, "app.delete", func(tx session, appID string) (string, error) {
		return "", tx.exec(ctx, "DELETE FROM apps WHERE id = ?", appID)
	})
	if err != nil {
		return fmt.Errorf("delete %w", err)
	}
	return nil
}

// SetIdle sets after what time without a request the app's web dynos sleep, as
// [state.App] says.
func (s *Store) SetIdle(ctx context.Context, by state.Actor, app string, d time.Duration) error {
	err := s.change(ctx, by, app, "app.update", func(tx session, appID string) (string, error) {
		return idleInWords(d), tx.exec(ctx, "UPDATE apps SET idle = ? WHERE id = ?", int64(d), appID)
	})
	if err != nil {
		return fmt.Errorf("set when to sleep: %w", err)
	}
	return nil
}

func idleInWords(d time.Duration) string {
	switch {
	case d < 0:
		return "never sleeps"
	case d == 0:
		return "sleeps as the server's setting says"
	}
	return fmt.Sprintf("sleeps after %s without a request", d)
}

// SetMaintenance turns an app's maintenance mode on or off.
func (s *Store) SetMaintenance(ctx context.Context, by state.Actor, app string, on bool) error {
	words := map[bool]string{true: "maintenance on", false: "maintenance off"}[on]
	err := s.change(ctx, by, app, "app.update", func(tx session, appID string) (string, error) {
		return words, tx.exec(ctx, "UPDATE apps SET maintenance = ? WHERE id = ?", on, appID)
	})
	if err != nil {
		return fmt.Errorf("set maintenance mode: %w", err)
	}
	return nil
}

// SetAsleep records that the app's web dynos sleep, or do not. It is not
// audited: requests do it, and their lack.
func (s *Store) SetAsleep(ctx context.Context, app string, asleep bool) error {
	if err := s.execOne(ctx, "UPDATE apps SET asleep = ? WHERE name = ?", asleep, app); err != nil {
		return fmt.Errorf("record whether app %q sleeps: %w", app, err)
	}
	return nil
}
