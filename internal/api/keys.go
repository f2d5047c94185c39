package api

import (
	"net/http"
	"strings"

	"golang.org/x/crypto/ssh"

	"slipway/internal/state"
	"slipway/internal/wire"
)

func (a *api) listKeys(r *http.Request, _ state.Actor) (int, any, error) {
	keys, err := a.Keys.Keys(r.Context())
	if err != nil {
		return 0, nil, err
	}
	out := make([]wire.Key, 0, len(keys))
	for _, k := range keys {
		out = append(out, wireKey(k))
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
	return http.StatusCreated, wireKey(key), nil
}

func (a *api) removeKey(r *http.Request, by state.Actor) (int, any, error) {
	if err := a.Keys.DeleteKey(r.Context(), by, r.PathValue("fingerprint")); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, struct{}{}, nil
}

func wireKey(k state.Key) wire.Key {
	return wire.Key{Fingerprint: k.Fingerprint, PublicKey: k.Public, Comment: k.Comment, CreatedAt: k.Created}
}
