package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"slipway/internal/state"
)

// AddCollaborator lets a user, who has an account, use an app. [state.ErrTaken]
// says that it is so already.
func (s *Store) AddCollaborator(ctx context.Context, by state.Actor, app, user string) (state.Collaborator, error) {
	if user == state.AdminUser {
		return state.Collaborator{}, state.Invalid("%s may use all apps already", user)
	}
	c := state.Collaborator{ID: uuid.NewString(), App: app, User: user, Created: stamp(time.Time{})}
	err := s.change(ctx, by, app, "collaborator.create", func(tx session, appID string) (string, error) {
		if err := tx.room(ctx, "collaborators", appID, state.MaxCollaborators); err != nil {
			return "", err
		}
		if err := tx.holdAccount(ctx, user); err != nil {
			return "", err
		}
		return user, tx.exec(ctx, "INSERT INTO collaborators (app_id, email, id, created_at) VALUES (?, ?, ?, ?)",
			appID, user, c.ID, c.Created.UnixMicro())
	})
	if err != nil {
		return state.Collaborator{}, fmt.Errorf("add collaborator: %w", err)
	}
	return c, nil
}

// Collaborators lists those who may use an app beside its owner, by email.
func (s *Store) Collaborators(ctx context.Context, app string) ([]state.Collaborator, error) {
	all, err := list(ctx, s.session, scanCollaborator, `SELECT collaborators.id, apps.name, email, collaborators.created_at
		FROM collaborators JOIN apps ON apps.id = collaborators.app_id WHERE apps.name = ? ORDER BY email`, app)
	if err != nil {
		return nil, fmt.Errorf("list collaborators: %w", err)
	}
	return all, nil
}

func scanCollaborator(row scanner) (c state.Collaborator, err error) {
	var created int64
	err = row.Scan(&c.ID, &c.App, &c.User, &created)
	c.Created = fromUnix(created)
	return c, err
}

// DeleteCollaborator ends that a user may use an app.
func (s *Store) DeleteCollaborator(ctx context.Context, by state.Actor, app, user string) error {
	err := s.change(ctx, by, app, "collaborator.delete", func(tx session, appID string) (string, error) {
		return user, tx.execOne(ctx, "DELETE FROM collaborators WHERE app_id = ? AND email = ?", appID, user)
	})
	if err != nil {
		return fmt.Errorf("remove collaborator %.80q: %w", user, err)
	}
	return nil
}

// MayUse says whether a user may use an app: administrators may use all, others
// their own and those whose collaborators they are.
func (s *Store) MayUse(ctx context.Context, user, app string) (bool, error) {
	var may bool
	err := s.one(ctx, []any{&may}, `SELECT owner = ?
		OR EXISTS (SELECT 1 FROM collaborators WHERE app_id = apps.id AND email = ?)
		OR EXISTS (SELECT 1 FROM accounts WHERE email = ? AND admin)
		FROM apps WHERE name = ?`, user, user, user, app)
	if err != nil {
		return false, fmt.Errorf("app %q: %w", app, err)
	}
	return may || user == state.AdminUser, nil
}
