package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"slipway/internal/state"
	"slipway/internal/wire"
)

func (a *api) account(r *http.Request, by state.Actor) (int, any, error) {
	out, err := a.accountInfo(r, by.User)
	return http.StatusOK, out, err
}

func (a *api) accountInfo(r *http.Request, user string) (wire.AccountInfo, error) {
	one := a.user(user)
	// Who has no account, as the server's first token, was always there.
	created := since
	if a.Accounts != nil {
		switch account, err := a.Accounts.AccountOf(r.Context(), user); {
		case err == nil:
			created = account.Created
		case !errors.Is(err, state.ErrNotFound):
			return wire.AccountInfo{}, err
		}
	}
	admin, err := a.isAdmin(r, user)
	return wire.AccountInfo{ID: one.ID, Email: one.Email, Admin: admin, Verified: true, CreatedAt: created, UpdatedAt: created}, err
}

func (a *api) showUser(r *http.Request, by state.Actor) (int, any, error) {
	user, err := a.findUser(r, by)
	if err != nil {
		return 0, nil, err
	}
	out, err := a.accountInfo(r, user)
	return http.StatusOK, out, err
}

// listUsersApps lists the apps that a user owns or was let into: of an
// administrator not all that there are.
func (a *api) listUsersApps(r *http.Request, by state.Actor) (int, any, error) {
	user, err := a.findUser(r, by)
	if err != nil {
		return 0, nil, err
	}
	if a.MayUse == nil {
		user = "" // all may use all
	}
	return a.pageOfApps(r, user)
}

// findUser finds the user of a request's path: "~" for who asks, an email or an
// ID. Administrators only find others.
func (a *api) findUser(r *http.Request, by state.Actor) (string, error) {
	given := r.PathValue("user")
	if self := a.user(by.User); given == "~" || strings.EqualFold(given, self.Email) || strings.EqualFold(given, self.ID) {
		return by.User, nil
	}
	admin, err := a.isAdmin(r, by.User)
	if err != nil {
		return "", err
	}
	if admin && a.Accounts != nil {
		account, err := a.accountNamed(r.Context(), given)
		if !errors.Is(err, state.ErrNotFound) {
			return account.Email, err
		}
	}
	return "", &resourceError{resource: "user", text: `Couldn't find that user. Ask for "~", which is yourself; administrators see all with slipway users`}
}

// accountNamed finds an account by email or ID.
func (a *api) accountNamed(ctx context.Context, given string) (state.Account, error) {
	account, err := a.Accounts.AccountOf(ctx, strings.ToLower(given))
	if errors.Is(err, state.ErrNotFound) {
		account, err = a.Accounts.AccountByID(ctx, strings.ToLower(given))
	}
	return account, err
}
