package server

import (
	"bufio"
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"slipway/gitserver"
	"slipway/internal/state"
	"slipway/internal/state/sqlstore"
	"slipway/slugs"
)

// access decides who may do what: administrators everything, others what is of
// their own apps and of those whose collaborators they are.
type access struct {
	store          *sqlstore.Store
	tokenHash      string // of the administrator's token
	authorizedKeys string // a file; it may be missing
}

var _ gitserver.Authorizer = (*access)(nil)

// Token signs a token in: the administrator's first, or one of an account.
func (a *access) Token(ctx context.Context, token string) (string, error) {
	hash := state.HashToken(token)
	if subtle.ConstantTimeCompare([]byte(hash), []byte(a.tokenHash)) == 1 {
		return state.AdminUser, nil
	}
	known, err := a.store.TokenOf(ctx, hash)
	if errors.Is(err, state.ErrNotFound) || err == nil && known.Expired(time.Now()) {
		return "", gitserver.ErrUnauthorized
	}
	if err != nil {
		return "", err
	}
	return a.present(ctx, known.User)
}

// present returns a user who has an account still. A token or a key that was
// added while the account was deleted lets nobody in.
func (a *access) present(ctx context.Context, user string) (string, error) {
	if user == state.AdminUser {
		return user, nil
	}
	_, err := a.store.AccountOf(ctx, user)
	if errors.Is(err, state.ErrNotFound) {
		return "", gitserver.ErrUnauthorized
	}
	return user, err
}

// Key signs an SSH key in: one that was added, or one of DATA/authorized_keys.
func (a *access) Key(ctx context.Context, key ssh.PublicKey) (string, error) {
	known, err := a.store.Key(ctx, ssh.FingerprintSHA256(key))
	if err == nil {
		return a.present(ctx, known.User)
	}
	if !errors.Is(err, state.ErrNotFound) {
		return "", err
	}
	file, err := os.ReadFile(a.authorizedKeys)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read authorized keys: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(file))
	for lines.Scan() {
		listed, _, _, _, err := ssh.ParseAuthorizedKey(lines.Bytes())
		if err == nil && bytes.Equal(listed.Marshal(), key.Marshal()) {
			return state.AdminUser, nil
		}
	}
	return "", gitserver.ErrUnauthorized
}

// mayUse returns nil for a user who may use an app, else [state.ErrForbidden] or
// [state.ErrNotFound].
func (a *access) mayUse(ctx context.Context, user, app string) error {
	may, err := a.store.MayUse(ctx, user, app)
	if err == nil && !may {
		err = state.NoAccess(user, app)
	}
	return err
}

// Repository lets users read and write the apps that they may use; a push makes
// an app that does not exist, which is then its pusher's.
func (a *access) Repository(ctx context.Context, to gitserver.Access) error {
	err := a.mayUse(ctx, to.User, to.Repo)
	if errors.Is(err, state.ErrNotFound) && to.Write {
		err = a.create(ctx, to)
	}
	switch {
	case errors.Is(err, state.ErrNotFound):
		return gitserver.ErrNotFound
	case errors.Is(err, state.ErrForbidden), errors.Is(err, state.ErrInvalidName), errors.Is(err, state.ErrReservedName):
		return &gitserver.UserError{Text: err.Error(), Err: err}
	}
	return err
}

func (a *access) create(ctx context.Context, to gitserver.Access) error {
	_, err := a.store.CreateApp(ctx, state.ActorAt(to.User, to.Remote), state.App{Name: to.Repo, Owner: to.User, Created: time.Now().UTC()})
	if errors.Is(err, state.ErrTaken) { // by another push, just now, of whomever
		return a.mayUse(ctx, to.User, to.Repo)
	}
	return err
}

// registry decides for the registry. The builder's images are everybody's to
// pull and nobody's to write; nobody replaces or deletes those of releases, which
// are immutable. Others belong to the app that their name begins with.
func (a *access) registry(ctx context.Context, token, repository string, action slugs.Action) error {
	user, err := a.Token(ctx, token)
	if err != nil {
		return slugs.ErrUnauthorized
	}
	app, _, below := strings.Cut(repository, "/")
	switch {
	case repository == "":
		return nil
	case below && app+"/" == slugs.SystemPrefix:
		if action != slugs.Pull {
			return slugs.ErrForbidden
		}
		return nil
	}
	err = a.mayUse(ctx, user, app)
	if errors.Is(err, state.ErrNotFound) { // the catalogue, or images of no app
		err = a.mustAdmin(ctx, user)
	}
	if errors.Is(err, state.ErrForbidden) {
		return slugs.ErrForbidden
	}
	if err == nil && action == slugs.Replace {
		return slugs.ErrReleased
	}
	return err
}

func (a *access) mustAdmin(ctx context.Context, user string) error {
	admin, err := a.store.IsAdmin(ctx, user)
	if err == nil && !admin {
		err = state.ErrForbidden
	}
	return err
}
