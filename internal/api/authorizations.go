package api

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"slipway/internal/state"
	"slipway/internal/wire"
)

// maxLife is the longest that a token may live which does not live for ever.
const maxLife = 10 * 365 * 24 * time.Hour

func (a *api) listAuthorizations(r *http.Request, by state.Actor) (int, any, error) {
	all, err := a.Tokens.Tokens(r.Context(), by.User)
	if err != nil {
		return 0, nil, err
	}
	out := make([]wire.Authorization, 0, len(all))
	for _, t := range all {
		if !t.Expired(stamp()) {
			out = append(out, a.authorization(t, t.Hint))
		}
	}
	return http.StatusOK, out, nil
}

func (a *api) showAuthorization(r *http.Request, by state.Actor) (int, any, error) {
	t, err := a.findAuthorization(r, by)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, a.authorization(t, t.Hint), nil
}

func (a *api) findAuthorization(r *http.Request, by state.Actor) (state.Token, error) {
	all, err := a.Tokens.Tokens(r.Context(), by.User)
	if err != nil {
		return state.Token{}, err
	}
	id := r.PathValue("authorization")
	i := slices.IndexFunc(all, func(t state.Token) bool { return t.ID == id && !t.Expired(stamp()) })
	if i < 0 {
		return state.Token{}, &resourceError{
			resource: "authorization", text: fmt.Sprintf("you have no authorization %.80q: slipway authorizations lists them", id),
		}
	}
	return all[i], nil
}

func (a *api) createAuthorization(r *http.Request, by state.Actor) (int, any, error) {
	var req wire.AuthorizationCreate
	if err := read(r, &req); err != nil {
		return 0, nil, err
	}
	life, err := checkAuthorization(req)
	if err != nil {
		return 0, nil, err
	}
	token, hint := state.NewToken()
	t := state.Token{User: by.User, Description: "Long-lived user authorization", Hash: state.HashToken(token), Hint: hint, Created: stamp()}
	if req.Description != nil {
		t.Description = *req.Description
	}
	if life > 0 {
		t.Expires = t.Created.Add(life)
	}
	t, err = a.Tokens.AddToken(r.Context(), by, t)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, a.authorization(t, token), nil
}

// checkAuthorization returns how long a token is to live, 0 for ever.
func checkAuthorization(req wire.AuthorizationCreate) (time.Duration, error) {
	for _, scope := range req.Scope {
		if scope != "global" {
			return 0, invalid("a token of this server may do all that its owner may: leave the scope %.40q out, or write global", scope)
		}
	}
	if len(req.Client) > 0 && string(req.Client) != "null" {
		return 0, invalid("this server knows no OAuth clients: leave client out")
	}
	if req.ExpiresIn == "" {
		return 0, nil
	}
	seconds, err := req.ExpiresIn.Int64()
	if err != nil || seconds < 1 || seconds > int64(maxLife/time.Second) {
		return 0, invalid("a token cannot expire in %.20q: write seconds, from 1 to %d, or leave expires_in out", req.ExpiresIn, int64(maxLife/time.Second))
	}
	return time.Duration(seconds) * time.Second, nil
}

func (a *api) updateAuthorization(r *http.Request, by state.Actor) (int, any, error) {
	t, err := a.findAuthorization(r, by)
	if err != nil {
		return 0, nil, err
	}
	var req wire.AuthorizationCreate
	if err := read(r, &req); err != nil {
		return 0, nil, err
	}
	if req.ExpiresIn != "" || req.Scope != nil {
		return 0, nil, invalid("only an authorization's description can be changed: make another")
	}
	if _, err := checkAuthorization(req); err != nil {
		return 0, nil, err
	}
	if req.Description != nil {
		t.Description = *req.Description
	}
	if err := a.Tokens.SaveToken(r.Context(), by, t); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, a.authorization(t, t.Hint), nil
}

// regenerateAuthorization makes another token, which lives as long as the old
// one was to, and ends that.
func (a *api) regenerateAuthorization(r *http.Request, by state.Actor) (int, any, error) {
	t, err := a.findAuthorization(r, by)
	if err != nil {
		return 0, nil, err
	}
	token, hint := state.NewToken()
	t.Hash, t.Hint = state.HashToken(token), hint
	if !t.Expires.IsZero() {
		t.Expires = stamp().Add(t.Expires.Sub(t.Created))
	}
	if err := a.Tokens.SaveToken(r.Context(), by, t); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, a.authorization(t, token), nil
}

func (a *api) removeAuthorization(r *http.Request, by state.Actor) (int, any, error) {
	t, err := a.findAuthorization(r, by)
	if err != nil {
		return 0, nil, err
	}
	if err := a.Tokens.DeleteToken(r.Context(), by, by.User, t.ID); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, a.authorization(t, t.Hint), nil
}

func (a *api) authorization(t state.Token, shown string) wire.Authorization {
	out := wire.Authorization{
		ID: t.ID, CreatedAt: t.Created, UpdatedAt: t.Created, Description: t.Description, Scope: []string{"global"},
		AccessToken: wire.AccessToken{ID: uuid.NewSHA1(uuid.NameSpaceOID, []byte(t.ID+"/"+t.Hash)).String(), Token: shown},
		User:        wire.Authorizer{ID: state.UserID(t.User), Email: a.email(t.User)},
	}
	if !t.Expires.IsZero() {
		left := int64(t.Expires.Sub(stamp()).Round(time.Second) / time.Second)
		out.AccessToken.ExpiresIn = &left
	}
	return out
}

// Sessions of browsers are what Heroku's clients end when they sign out.
func (a *api) listOAuthSessions(*http.Request, state.Actor) (int, any, error) {
	return http.StatusOK, []struct{}{}, nil
}

func (a *api) removeOAuthSession(*http.Request, state.Actor) (int, any, error) {
	return 0, nil, &resourceError{resource: "session", text: "there are no sessions on this server: slipway authorizations lists what signs you in"}
}
