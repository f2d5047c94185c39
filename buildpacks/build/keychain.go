package build

import (
	"github.com/google/go-containerregistry/pkg/authn"
)

// anonymous signs in nowhere.
type anonymous struct{}

// Resolve implements [authn.Keychain].
func (anonymous) Resolve(authn.Resource) (authn.Authenticator, error) {
	return authn.Anonymous, nil
}

// A keychain signs in to our registry with one build's token, and to others
// as the operator said. The user's ~/.docker is never read.
type keychain struct {
	registry    string
	user, token string
	others      authn.Keychain
}

// Resolve implements [authn.Keychain].
func (k keychain) Resolve(r authn.Resource) (authn.Authenticator, error) {
	if r.RegistryStr() != k.registry {
		return k.others.Resolve(r)
	}
	if k.token == "" {
		return authn.Anonymous, nil
	}
	return &authn.Basic{Username: k.user, Password: k.token}, nil
}
