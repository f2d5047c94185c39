package api

import (
	"net/http"
	"strings"

	"golang.org/x/crypto/ssh"

	"slipway/internal/state"
	"slipway/internal/wire"
)

func (a *api) listKeys(r *http.Request, by state.Actor) (int, any, error) {
	keys, err := a.Keys.Keys(r.Context(), by.User)
	if err != nil {
		return 0, nil, err
	}
	out := make([]wire.Key, 0, len(keys))
	for _, k := range keys {
		out = append(out, a.key(k))
	}
	return http.StatusOK, out, nil
}

func (a *api) addKey(r *http.Request, by state.Actor) (int, any, error) {
	var req wire.KeyCreate
	if err := read(r, &req); err != nil {
		return 0, nil, err
	}
	public, comment, _, _, err := ssh.ParseAuthorizedKey([]byte(req.PublicKey))
	if err != nil {
		return 0, nil, invalid("this is no SSH public key: give one line, such as ssh-keygen writes into id_ed25519.pub")
	}
	key := state.Key{
		Fingerprint: ssh.FingerprintSHA256(public),
		Public:      strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public))),
		Comment:     comment, User: by.User, Created: stamp(),
	}
	if err := a.Keys.AddKey(r.Context(), by, key); err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, a.key(key), nil
}

func (a *api) showKey(r *http.Request, by state.Actor) (int, any, error) {
	key, err := a.findKey(r, by)
	return http.StatusOK, a.key(key), err
}

func (a *api) removeKey(r *http.Request, by state.Actor) (int, any, error) {
	key, err := a.findKey(r, by)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, a.key(key), a.Keys.DeleteKey(r.Context(), by, by.User, key.Fingerprint)
}

// findKey finds one of the user's keys by ID or fingerprint.
func (a *api) findKey(r *http.Request, by state.Actor) (state.Key, error) {
	all, err := a.Keys.Keys(r.Context(), by.User)
	if err != nil {
		return state.Key{}, err
	}
	given := r.PathValue("fingerprint")
	for _, k := range all {
		if given == k.Fingerprint || strings.EqualFold(given, idFor("key", k.Fingerprint)) {
			return k, nil
		}
	}
	return state.Key{}, &resourceError{resource: "key", text: "Couldn't find that key. See which there are with slipway keys"}
}

func (a *api) key(k state.Key) wire.Key {
	return wire.Key{
		ID: idFor("key", k.Fingerprint), Fingerprint: k.Fingerprint, PublicKey: strings.TrimSpace(k.Public + " " + k.Comment),
		Comment: k.Comment, Email: a.email(k.User), CreatedAt: k.Created, UpdatedAt: k.Created,
	}
}
