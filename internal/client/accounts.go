package client

import (
	"context"
	"net/http"
	"net/url"

	"slipway/internal/wire"
)

// Account is who the token signs in.
func (c *Client) Account(ctx context.Context) (account wire.Account, err error) {
	err = c.call(ctx, http.MethodGet, "/account", nil, &account)
	return account, err
}

// Collaborators lists who may use an app, its owner first.
func (c *Client) Collaborators(ctx context.Context, app string) (all []wire.Collaborator, err error) {
	err = c.call(ctx, http.MethodGet, appPath(app, "collaborators"), nil, &all)
	return all, err
}

// AddCollaborator lets somebody who has an account use an app.
func (c *Client) AddCollaborator(ctx context.Context, app, email string) (added wire.Collaborator, err error) {
	err = c.call(ctx, http.MethodPost, appPath(app, "collaborators"), wire.CollaboratorCreate{User: email}, &added)
	return added, err
}

// RemoveCollaborator ends that somebody may use an app.
func (c *Client) RemoveCollaborator(ctx context.Context, app, email string) (removed wire.Collaborator, err error) {
	err = c.call(ctx, http.MethodDelete, appPath(app, "collaborators", email), nil, &removed)
	return removed, err
}

// Authorizations lists what signs the user in, the tokens masked.
func (c *Client) Authorizations(ctx context.Context) (all []wire.Authorization, err error) {
	err = c.call(ctx, http.MethodGet, "/oauth/authorizations", nil, &all)
	return all, err
}

// Authorization finds what signs the user in, the token masked.
func (c *Client) Authorization(ctx context.Context, id string) (found wire.Authorization, err error) {
	err = c.call(ctx, http.MethodGet, authorizationPath(id), nil, &found)
	return found, err
}

func authorizationPath(id string) string { return "/oauth/authorizations/" + url.PathEscape(id) }

// CreateAuthorization makes a token, which only this answer holds.
func (c *Client) CreateAuthorization(ctx context.Context, create wire.AuthorizationCreate) (made wire.Authorization, err error) {
	err = c.call(ctx, http.MethodPost, "/oauth/authorizations", create, &made)
	return made, err
}

// RotateAuthorization makes another token in the place of one, which only this
// answer holds.
func (c *Client) RotateAuthorization(ctx context.Context, id string) (changed wire.Authorization, err error) {
	err = c.call(ctx, http.MethodPost, authorizationPath(id)+"/actions/regenerate-tokens", nil, &changed)
	return changed, err
}

// RevokeAuthorization ends that a token signs its owner in.
func (c *Client) RevokeAuthorization(ctx context.Context, id string) (revoked wire.Authorization, err error) {
	err = c.call(ctx, http.MethodDelete, authorizationPath(id), nil, &revoked)
	return revoked, err
}

// Users lists the accounts of the server, for administrators.
func (c *Client) Users(ctx context.Context) (all []wire.User, err error) {
	err = c.call(ctx, http.MethodGet, "/admin/accounts", nil, &all)
	return all, err
}

// AddUser makes an account, with a first token that only this answer holds.
func (c *Client) AddUser(ctx context.Context, create wire.UserCreate) (added wire.User, err error) {
	err = c.call(ctx, http.MethodPost, "/admin/accounts", create, &added)
	return added, err
}

// AddUserToken makes another token for somebody, which only this answer holds.
func (c *Client) AddUserToken(ctx context.Context, email string) (user wire.User, err error) {
	err = c.call(ctx, http.MethodPost, userPath(email)+"/tokens", nil, &user)
	return user, err
}

// RemoveUser deletes an account; its apps stay.
func (c *Client) RemoveUser(ctx context.Context, email string) (removed wire.User, err error) {
	err = c.call(ctx, http.MethodDelete, userPath(email), nil, &removed)
	return removed, err
}

func userPath(email string) string { return "/admin/accounts/" + url.PathEscape(email) }
