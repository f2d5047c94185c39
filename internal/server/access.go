package server

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"slipway/gitserver"
	"slipway/internal/state"
	"slipway/internal/state/sqlstore"
	"slipway/slugs"
)

// adminUser is whom the first token and the keys in DATA/authorized_keys sign in.
const adminUser = "admin"

// access decides who may do what. There is one kind of user for now: whoever
// signs in may do everything.
type access struct {
	store          *sqlstore.Store
	tokenHash      string // of the administrator's token
	authorizedKeys string // a file; it may be missing
}

var _ gitserver.Authorizer = (*access)(nil)

// newAccess reads the administrator's token, or makes it on the first start.
func newAccess(dir string, store *sqlstore.Store) (*access, error) {
	path := filepath.Join(dir, "admin-token")
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		raw = []byte("slipway-" + rand.Text())
		err = writeNew(path, append(raw, '\n'))
	}
	if err != nil {
		return nil, fmt.Errorf("first token: %w", err)
	}
	token := strings.TrimSpace(string(raw))
	if len(token) < 16 {
		return nil, fmt.Errorf("the token in %s is too short to be safe: remove the file, and a new one is made", path)
	}
	return &access{
		store: store, tokenHash: state.HashToken(token),
		authorizedKeys: filepath.Join(dir, "authorized_keys"),
	}, nil
}

// writeNew writes a file that is whole or not there at all.
func writeNew(path string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone, if all went well
	_, err = tmp.Write(content)
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// Token signs a token in.
func (a *access) Token(_ context.Context, token string) (string, error) {
	if subtle.ConstantTimeCompare([]byte(state.HashToken(token)), []byte(a.tokenHash)) != 1 {
		return "", gitserver.ErrUnauthorized
	}
	return adminUser, nil
}

// Key signs an SSH key in: one that was added, or one of DATA/authorized_keys.
func (a *access) Key(ctx context.Context, key ssh.PublicKey) (string, error) {
	known, err := a.store.Key(ctx, ssh.FingerprintSHA256(key))
	if err == nil {
		return known.User, nil
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
			return adminUser, nil
		}
	}
	return "", gitserver.ErrUnauthorized
}

// Repository lets every user read and write every app; a push makes an app that
// does not exist.
func (a *access) Repository(ctx context.Context, to gitserver.Access) error {
	_, err := a.store.App(ctx, to.Repo)
	if !errors.Is(err, state.ErrNotFound) {
		return err
	}
	if !to.Write {
		return gitserver.ErrNotFound
	}
	_, err = a.store.CreateApp(ctx, state.ActorAt(to.User, to.Remote), state.App{Name: to.Repo, Owner: to.User, Created: time.Now().UTC()})
	switch {
	case errors.Is(err, state.ErrTaken): // by another push, just now
		return nil
	case errors.Is(err, state.ErrInvalidName), errors.Is(err, state.ErrReservedName):
		return &gitserver.UserError{Text: err.Error(), Err: err}
	}
	return err
}

// registry decides for the registry. Nobody writes the builder's images, nor
// replaces or deletes those of releases, which are immutable.
func (a *access) registry(ctx context.Context, token, repository string, action slugs.Action) error {
	if _, err := a.Token(ctx, token); err != nil {
		return slugs.ErrUnauthorized
	}
	if action == slugs.Push && strings.HasPrefix(repository, slugs.SystemPrefix) {
		return slugs.ErrForbidden
	}
	if action == slugs.Replace {
		return slugs.ErrReleased
	}
	return nil
}
