package sqlite

import (
	"context"
	"fmt"

	"slipway/internal/state"
)

// AddKey records a public key; [state.ErrTaken] says that it is there already.
func (s *Store) AddKey(ctx context.Context, key state.Key) error {
	_, err := s.db.ExecContext(ctx, "INSERT INTO keys (fingerprint, public, comment, user, created_at) VALUES (?, ?, ?, ?, ?)",
		key.Fingerprint, key.Public, key.Comment, key.User, key.Created.UnixMicro())
	if err != nil {
		return fmt.Errorf("add key %s: %w", key.Fingerprint, translate(err))
	}
	return nil
}

// Key finds a key by its fingerprint.
func (s *Store) Key(ctx context.Context, fingerprint string) (state.Key, error) {
	key := state.Key{Fingerprint: fingerprint}
	var created int64
	err := s.db.QueryRowContext(ctx, "SELECT public, comment, user, created_at FROM keys WHERE fingerprint = ?", fingerprint).
		Scan(&key.Public, &key.Comment, &key.User, &created)
	if err != nil {
		return state.Key{}, fmt.Errorf("key %q: %w", fingerprint, translate(err))
	}
	key.Created = fromUnix(created)
	return key, nil
}

// Keys lists all keys, oldest first.
func (s *Store) Keys(ctx context.Context) ([]state.Key, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT fingerprint, public, comment, user, created_at FROM keys ORDER BY created_at")
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var keys []state.Key
	for rows.Next() {
		var key state.Key
		var created int64
		if err := rows.Scan(&key.Fingerprint, &key.Public, &key.Comment, &key.User, &created); err != nil {
			return nil, fmt.Errorf("list keys: %w", err)
		}
		key.Created = fromUnix(created)
		keys = append(keys, key)
	}
	return keys, rows.Err()
}

// DeleteKey forgets a key.
func (s *Store) DeleteKey(ctx context.Context, fingerprint string) error {
	res, err := s.db.ExecContext(ctx, "DELETE FROM keys WHERE fingerprint = ?", fingerprint)
	if err != nil {
		return fmt.Errorf("delete key %s: %w", fingerprint, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return fmt.Errorf("delete key %q: %w", fingerprint, state.ErrNotFound)
	}
	return nil
}
