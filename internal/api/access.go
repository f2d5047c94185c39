package api

import (
	"context"
	"net/http"
	"strings"

	"slipway/internal/state"
)

// appKey is where a request's context holds its app, once the user was let in.
type appKey struct{}

// admit lets a user's request on to the app in its path, if there is one. It
// happens before any answer is made, so that no address can forget to ask.
func (a *api) admit(r *http.Request, by state.Actor) (*http.Request, error) {
	name := r.PathValue("app")
	if name == "" {
		return r, nil
	}
	app, err := a.lookUp(r.Context(), name)
	if err == nil && a.MayUse != nil {
		err = a.MayUse(r.Context(), by.User, app.Name)
	}
	if err != nil {
		return nil, err
	}
	return r.WithContext(context.WithValue(r.Context(), appKey{}, app)), nil
}

// isAdmin says whether a user is an administrator.
func (a *api) isAdmin(r *http.Request, user string) (bool, error) {
	if a.Accounts == nil {
		return user == state.AdminUser, nil
	}
	return a.Accounts.IsAdmin(r.Context(), user)
}

// whose returns whose apps a user may see, as [Apps.AppsPage] wants it.
func (a *api) whose(r *http.Request, by state.Actor) (string, error) {
	if a.MayUse == nil {
		return "", nil
	}
	admin, err := a.isAdmin(r, by.User)
	if admin {
		return "", err
	}
	return by.User, err
}

// mustOwn returns nil for those who may do with an app what its collaborators
// may not.
func (a *api) mustOwn(r *http.Request, by state.Actor, app state.App, what string) error {
	if app.Owner == by.User || a.MayUse == nil {
		return nil
	}
	admin, err := a.isAdmin(r, by.User)
	if err == nil && !admin {
		err = state.Forbidden("Only the owner of the app %s may %s: ask %s", app.Name, what, a.email(app.Owner))
	}
	return err
}

// mustAdmin returns nil for administrators.
func (a *api) mustAdmin(r *http.Request, by state.Actor) error {
	admin, err := a.isAdmin(r, by.User)
	if err == nil && !admin {
		err = state.Forbidden("Only administrators may do that: ask whoever runs this server")
	}
	return err
}

// email is a user as clients want one: with an address.
func (a *api) email(user string) string {
	if strings.Contains(user, "@") {
		return user
	}
	return user + a.suffix()
}

func (a *api) suffix() string {
	if a.Domain == "" {
		return "@localhost"
	}
	return "@" + a.Domain
}

func (a *api) haveAccounts() bool {
	return a.Accounts != nil && a.Tokens != nil && a.Collaborators != nil
}

func (a *api) accountRoutes() map[string]serve {
	return map[string]serve{
		"PATCH /account":                                                       a.updateAccount,
		"GET /apps/{app}/collaborators":                                        a.listCollaborators,
		"POST /apps/{app}/collaborators":                                       a.addCollaborator,
		"GET /apps/{app}/collaborators/{collaborator}":                         a.showCollaborator,
		"DELETE /apps/{app}/collaborators/{collaborator}":                      a.removeCollaborator,
		"GET /oauth/authorizations":                                            a.listAuthorizations,
		"POST /oauth/authorizations":                                           a.createAuthorization,
		"GET /oauth/authorizations/{authorization}":                            a.showAuthorization,
		"PATCH /oauth/authorizations/{authorization}":                          a.updateAuthorization,
		"DELETE /oauth/authorizations/{authorization}":                         a.removeAuthorization,
		"POST /oauth/authorizations/{authorization}/actions/regenerate-tokens": a.regenerateAuthorization,
		"GET /oauth/sessions":                                                  a.listOAuthSessions,
		"DELETE /oauth/sessions/{session}":                                     a.removeOAuthSession,
		"GET /admin/accounts":                                                  a.listAccounts,
		"POST /admin/accounts":                                                 a.addAccount,
		"DELETE /admin/accounts/{email}":                                       a.removeAccount,
		"POST /admin/accounts/{email}/tokens":                                  a.addAccountToken,
	}
}
