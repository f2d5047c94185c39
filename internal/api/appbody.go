package api

import (
	"net/http"

	"slipway/internal/state"
	"slipway/internal/wire"
)

// app shows an app as lists do.
func (a *api) app(app state.App) wire.App {
	out := wire.App{
		ID: app.ID, Name: app.Name, Owner: a.user(app.Owner), CreatedAt: app.Created, UpdatedAt: app.Updated,
		GitURL: a.GitURL(app.Name), WebURL: a.WebURL(app.Name), IdleTimeout: idleText(app.Idle), Maintenance: app.Maintenance,
		ACM: a.ACM, Region: region(), Stack: a.stack(), BuildStack: a.stack(), Generation: generation(), Status: "complete",
	}
	if !app.Released.IsZero() {
		out.ReleasedAt = &app.Released
	}
	return out
}

// wholeApp shows an app by itself, with what takes a look at more than its row.
func (a *api) wholeApp(r *http.Request, app state.App) (wire.App, error) {
	out := a.app(app)
	rel, err := a.current(r, app)
	if err != nil {
		return out, err
	}
	if rel.Slug != "" {
		out.SlugSize, out.Language = &rel.Size, language(rel)
	}
	if a.RepoSize != nil {
		n, err := a.RepoSize(r.Context(), app.Name)
		if err != nil {
			return out, err
		}
		out.RepoSize = &n
	}
	return out, nil
}

// answerApp answers with an app as it is now.
func (a *api) answerApp(r *http.Request, status int, app state.App) (int, any, error) {
	out, err := a.wholeApp(r, app)
	return status, out, err
}

// user names somebody inside an answer.
func (a *api) user(name string) wire.Account {
	if name == "" {
		name = "slipway" // the server itself
	}
	return wire.Account{ID: state.UserID(name), Email: a.email(name)}
}
