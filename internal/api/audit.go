package api

import (
	"net/http"
	"strconv"

	"slipway/internal/state"
	"slipway/internal/wire"
)

const (
	defaultAudits = 100
	maxAudits     = 1000
)

func (a *api) listAudits(r *http.Request, by state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	n, err := limit(r, defaultAudits, maxAudits)
	if err != nil {
		return 0, nil, err
	}
	all, err := a.Settings.Audits(r.Context(), app.Name, n)
	if err != nil {
		return 0, nil, err
	}
	whose, err := a.whose(r, by)
	if err != nil {
		return 0, nil, err
	}
	out := make([]wire.Audit, 0, len(all))
	for _, au := range all {
		if whose != "" && au.At.Before(app.Created) {
			break // of an app that had the name before, and was perhaps another's
		}
		out = append(out, wire.Audit{
			ID: au.ID, CreatedAt: au.At, Actor: wire.Actor{Email: au.Actor.User, From: au.Actor.From},
			App: au.App, Action: au.Action, Details: au.Details,
		})
	}
	return http.StatusOK, out, nil
}

// limit reads ?limit=N, which is otherwise if it is not there.
func limit(r *http.Request, otherwise, most int) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, invalid("limit %.20q is no number of entries: write 1 to %d", text, most)
	}
	return min(n, most), nil
}
