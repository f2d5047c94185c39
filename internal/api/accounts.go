package api

import (
	"errors"
	"net/http"
	"strings"

	"slipway/internal/state"
	"slipway/internal/wire"
)

func (a *api) listAccounts(r *http.Request, by state.Actor) (int, any, error) {
	if err := a.mustAdmin(r, by); err != nil {
		return 0, nil, err
	}
	all, err := a.Accounts.Accounts(r.Context())
	if err != nil {
		return 0, nil, err
	}
	out := make([]wire.User, 0, len(all))
	for _, account := range all {
		out = append(out, wireUser(account))
	}
	return http.StatusOK, out, nil
}

func wireUser(account state.Account) wire.User {
	return wire.User{ID: account.ID, Email: account.Email, Admin: account.Admin, CreatedAt: account.Created}
}

// addAccount answers with the account's first token, which nobody can be shown
// again.
func (a *api) addAccount(r *http.Request, by state.Actor) (int, any, error) {
	if err := a.mustAdmin(r, by); err != nil {
		return 0, nil, err
	}
	var req wire.UserCreate
	if err := read(r, &req); err != nil {
		return 0, nil, err
	}
	if strings.EqualFold(req.Email, a.email(state.AdminUser)) {
		return 0, nil, invalid("%s is whom the server's first token signs in: choose another", req.Email)
	}
	account, err := a.Accounts.AddAccount(r.Context(), by, req.Email, req.Admin)
	if errors.Is(err, state.ErrTaken) {
		return 0, nil, invalid("there is an account %s already: slipway users:token makes another token for it", strings.ToLower(req.Email))
	}
	if err != nil {
		return 0, nil, err
	}
	out := wireUser(account)
	out.Token, err = a.firstToken(r, by, account)
	return http.StatusCreated, out, err
}

func (a *api) firstToken(r *http.Request, by state.Actor, account state.Account) (string, error) {
	token, hint := state.NewToken()
	_, err := a.Tokens.AddToken(r.Context(), by, state.Token{
		User: account.Email, Description: "Made by " + a.email(by.User), Hash: state.HashToken(token), Hint: hint, Created: stamp(),
	})
	return token, err
}

// addAccountToken helps somebody who has lost their tokens.
func (a *api) addAccountToken(r *http.Request, by state.Actor) (int, any, error) {
	account, err := a.findAccount(r, by)
	if err != nil {
		return 0, nil, err
	}
	out := wireUser(account)
	out.Token, err = a.firstToken(r, by, account)
	return http.StatusCreated, out, err
}

func (a *api) findAccount(r *http.Request, by state.Actor) (state.Account, error) {
	if err := a.mustAdmin(r, by); err != nil {
		return state.Account{}, err
	}
	account, err := a.Accounts.AccountOf(r.Context(), strings.ToLower(r.PathValue("email")))
	if errors.Is(err, state.ErrNotFound) {
		err = &wordsError{text: "there is no such account: slipway users lists them", kind: state.ErrNotFound}
	}
	return account, err
}

func (a *api) removeAccount(r *http.Request, by state.Actor) (int, any, error) {
	account, err := a.findAccount(r, by)
	if err != nil {
		return 0, nil, err
	}
	if err := a.Accounts.DeleteAccount(r.Context(), by, account.Email); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, wireUser(account), nil
}

func (a *api) updateAccount(*http.Request, state.Actor) (int, any, error) {
	return 0, nil, invalid("accounts are their email alone: an administrator makes another with slipway users:add EMAIL")
}
