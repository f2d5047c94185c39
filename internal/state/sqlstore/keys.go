package sqlstore

import (
	"context"
	"fmt"

	"slipway/internal/state"
)

// AddKey records a public key; [state.ErrTaken] says that it is there already.
func (s *Store) AddKey(ctx context.Context, by state.Actor, key state.Key) error {
	key.Created = stamp(key.Created)
	err := s.inTx(ctx, func(tx session) error {
		err := tx.exec(ctx, "INSERT INTO keys (fingerprint, public, comment, by_user, created_at) VALUES (?, ?, ?, ?, ?)",
			key.Fingerprint, key.Public, key.Comment, key.User, key.Created.UnixMicro())
		if err != nil {
			return err
		}
		return tx.audit(ctx, by, "", "key.create", key.Fingerprint)
	})
	if err != nil {
		return fmt.Errorf("add key %s: %w", key.Fingerprint, err)
	}
	return nil
}

const selectKeys = "SELECT fingerprint, public, comment, by_user, created_at FROM keys "

func scanKey(row scanner) (key state.Key, err error) {
	var created int64
	err = row.Scan(&key.Fingerprint, &key.Public, &key.Comment, &key.User, &created)
	key.Created = fromUnix(created)
	return key, err
}

// Key finds a key by its fingerprint.
func (s *Store) Key(ctx context.Context, fingerprint string) (state.Key, error) {
	all, err := list(ctx, s.session, scanKey, selectKeys+"WHERE fingerprint = ?", fingerprint)
	if err == nil && len(all) == 0 {
		err = state.ErrNotFound
	}
	if err != nil {
		return state.Key{}, fmt.Errorf("key %.80q: %w", fingerprint, err)
	}
	return all[0], nil
}

// Keys lists the keys of a user, oldest first.
func (s *Store) Keys(ctx context.Context, user string) ([]state.Key, error) {
	all, err := list(ctx, s.session, scanKey, selectKeys+"WHERE by_user = ? ORDER BY created_at, fingerprint", user)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	return all, nil
}

// DeleteKey forgets a key of a user.
func (s *Store) DeleteKey(ctx context.Context, by state.Actor, user, fingerprint string) error {
	err := s.inTx(ctx, func(tx session) error {
		if err := tx.execOne(ctx, "DELETE FROM keys WHERE fingerprint = ? AND by_user = ?", fingerprint, user); err != nil {
			return err
		}
		return tx.audit(ctx, by, "", "key.delete", fingerprint)
	})
	if err != nil {
		return fmt.Errorf("delete key %.80q: %w", fingerprint, err)
	}
	return nil
}
