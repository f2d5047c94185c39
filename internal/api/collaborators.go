package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"slipway/internal/state"
	"slipway/internal/wire"
)

func (a *api) listCollaborators(r *http.Request, _ state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	all, err := a.collaborators(r.Context(), app)
	return http.StatusOK, all, err
}

// collaborators are all who may use an app, its owner first.
func (a *api) collaborators(ctx context.Context, app state.App) ([]wire.Collaborator, error) {
	all, err := a.Collaborators.Collaborators(ctx, app.Name)
	if err != nil {
		return nil, err
	}
	out := make([]wire.Collaborator, 0, len(all)+1)
	out = append(out, a.collaborator(app, state.Collaborator{
		ID: idOf(app, "collaborator", app.Owner), User: app.Owner, Created: app.Created,
	}))
	for _, c := range all {
		out = append(out, a.collaborator(app, c))
	}
	return out, nil
}

var (
	permissions = []wire.Permission{
		{Name: "deploy", Description: "Can push, roll back, and change config vars and domains."},
		{Name: "operate", Description: "Can scale, restart and stop dynos, run commands, and read the log."},
		{Name: "view", Description: "Can see the app."},
	}
	ownersPermissions = slices.Insert(slices.Clone(permissions), 1,
		wire.Permission{Name: "manage", Description: "Can add and remove collaborators, and destroy the app."})
)

func (a *api) collaborator(app state.App, c state.Collaborator) wire.Collaborator {
	out := wire.Collaborator{
		ID: c.ID, App: refTo(app), CreatedAt: c.Created, UpdatedAt: c.Created, Permissions: permissions, Role: "collaborator",
		User: wire.Person{Email: a.email(c.User), ID: state.UserID(c.User)},
	}
	if c.User == app.Owner {
		out.Role, out.Permissions = "owner", ownersPermissions
	}
	return out
}

func (a *api) showCollaborator(r *http.Request, _ state.Actor) (int, any, error) {
	_, c, err := a.findCollaborator(r)
	return http.StatusOK, c, err
}

// findCollaborator finds a collaborator by email, by ID or by the user's ID.
func (a *api) findCollaborator(r *http.Request) (state.App, wire.Collaborator, error) {
	app, err := a.find(r)
	if err != nil {
		return state.App{}, wire.Collaborator{}, err
	}
	all, err := a.collaborators(r.Context(), app)
	if err != nil {
		return state.App{}, wire.Collaborator{}, err
	}
	given := r.PathValue("collaborator")
	for _, c := range all {
		if strings.EqualFold(given, c.User.Email) || given == c.ID || given == c.User.ID {
			return app, c, nil
		}
	}
	return state.App{}, wire.Collaborator{}, &wordsError{
		text: fmt.Sprintf("%.80q is no collaborator of the app %s: slipway access -a %s lists them", given, app.Name, app.Name), kind: state.ErrNotFound,
	}
}

func (a *api) addCollaborator(r *http.Request, by state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	if err := a.mustOwn(r, by, app, "let others in"); err != nil {
		return 0, nil, err
	}
	var req wire.CollaboratorCreate
	if err := read(r, &req); err != nil {
		return 0, nil, err
	}
	user, err := a.userNamed(r.Context(), req.User)
	if err != nil {
		return 0, nil, err
	}
	if user == app.Owner {
		return 0, nil, invalid("%s owns the app %s already", a.email(user), app.Name)
	}
	c, err := a.Collaborators.AddCollaborator(r.Context(), by, app.Name, user)
	if errors.Is(err, state.ErrTaken) {
		return 0, nil, invalid("%s is a collaborator of the app %s already", user, app.Name)
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, a.collaborator(app, c), nil
}

// userNamed finds a user by email or ID.
func (a *api) userNamed(ctx context.Context, given string) (string, error) {
	if given == "" {
		return "", invalid("say whom to let in: give the email of an account as user")
	}
	for _, admin := range []string{state.AdminUser, a.email(state.AdminUser), state.UserID(state.AdminUser)} {
		if strings.EqualFold(given, admin) {
			return "", invalid("%s may use all apps already", a.email(state.AdminUser))
		}
	}
	account, err := a.Accounts.AccountOf(ctx, strings.ToLower(given))
	if errors.Is(err, state.ErrNotFound) {
		account, err = a.Accounts.AccountByID(ctx, given)
	}
	if errors.Is(err, state.ErrNotFound) {
		return "", invalid("there is no account %.80q on this server: an administrator adds one with slipway users:add EMAIL", given)
	}
	return account.Email, err
}

// removeCollaborator is for owners, and for collaborators who leave.
func (a *api) removeCollaborator(r *http.Request, by state.Actor) (int, any, error) {
	app, c, err := a.findCollaborator(r)
	if err != nil {
		return 0, nil, err
	}
	if c.User.Email != a.email(by.User) {
		if err := a.mustOwn(r, by, app, "remove collaborators"); err != nil {
			return 0, nil, err
		}
	}
	if c.Role == "owner" {
		return 0, nil, invalid("%s owns the app %s, and cannot be removed from it", c.User.Email, app.Name)
	}
	if err := a.Collaborators.DeleteCollaborator(r.Context(), by, app.Name, c.User.Email); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c, nil
}
