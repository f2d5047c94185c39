package server

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"slipway/internal/state"
	"slipway/internal/state/sqlstore"
)

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
