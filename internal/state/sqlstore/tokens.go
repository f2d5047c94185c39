package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"slipway/internal/state"
)

// AddToken records a token of a user that has an account, and returns it with
// its ID. The user's expired tokens go.
func (s *Store) AddToken(ctx context.Context, by state.Actor, t state.Token) (state.Token, error) {
	err := state.CheckToken(t)
	if err == nil {
		t.ID, t.Created = uuid.NewString(), stamp(t.Created)
		if !t.Expires.IsZero() {
			t.Expires = stamp(t.Expires)
		}
		err = s.inTx(ctx, func(tx session) error { return tx.addToken(ctx, by, t) })
	}
	if err != nil {
		return state.Token{}, fmt.Errorf("add token: %w", err)
	}
	return t, nil
}

func (s session) addToken(ctx context.Context, by state.Actor, t state.Token) error {
	if err := s.holdAccount(ctx, t.User); err != nil {
		return err
	}
	err := s.exec(ctx, "DELETE FROM tokens WHERE by_user = ? AND expires_at > 0 AND expires_at <= ?",
		t.User, time.Now().UnixMicro())
	if err != nil {
		return err
	}
	var n int
	if err := s.one(ctx, []any{&n}, "SELECT count(*) FROM tokens WHERE by_user = ?", t.User); err != nil {
		return err
	}
	if n >= state.MaxTokens {
		return state.Invalid("%s has %d authorizations, the most there can be: revoke one first", t.User, n)
	}
	err = s.exec(ctx, "INSERT INTO tokens (id, by_user, description, hash, hint, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		t.ID, t.User, t.Description, t.Hash, t.Hint, t.Created.UnixMicro(), toUnix(t.Expires))
	if err != nil {
		return err
	}
	return s.audit(ctx, by, "", "authorization.create", t.ID+" of "+t.User)
}

const selectTokens = "SELECT id, by_user, description, hash, hint, created_at, expires_at FROM tokens "

func scanToken(row scanner) (t state.Token, err error) {
	var created, expires int64
	err = row.Scan(&t.ID, &t.User, &t.Description, &t.Hash, &t.Hint, &created, &expires)
	t.Created, t.Expires = fromUnix(created), fromUnixOrZero(expires)
	return t, err
}

// TokenOf finds a token by its hash; it may have expired.
func (s *Store) TokenOf(ctx context.Context, hash string) (state.Token, error) {
	all, err := list(ctx, s.session, scanToken, selectTokens+"WHERE hash = ?", hash)
	if err == nil && len(all) == 0 {
		err = state.ErrNotFound
	}
	if err != nil {
		return state.Token{}, fmt.Errorf("token: %w", err)
	}
	return all[0], nil
}

// Tokens lists the tokens of a user, oldest first.
func (s *Store) Tokens(ctx context.Context, user string) ([]state.Token, error) {
	all, err := list(ctx, s.session, scanToken, selectTokens+"WHERE by_user = ? ORDER BY created_at, id", user)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return all, nil
}

// SaveToken changes the description, the hash, the hint and the end of a token
// of a user.
func (s *Store) SaveToken(ctx context.Context, by state.Actor, t state.Token) error {
	err := state.CheckToken(t)
	if err == nil {
		err = s.inTx(ctx, func(tx session) error {
			err := tx.execOne(ctx, "UPDATE tokens SET description = ?, hash = ?, hint = ?, expires_at = ? WHERE by_user = ? AND id = ?",
				t.Description, t.Hash, t.Hint, toUnix(t.Expires), t.User, t.ID)
			if err != nil {
				return err
			}
			return tx.audit(ctx, by, "", "authorization.update", t.ID+" of "+t.User)
		})
	}
	if err != nil {
		return fmt.Errorf("change authorization %.80q: %w", t.ID, err)
	}
	return nil
}

// DeleteToken forgets a token of a user.
func (s *Store) DeleteToken(ctx context.Context, by state.Actor, user, id string) error {
	err := s.inTx(ctx, func(tx session) error {
		if err := tx.execOne(ctx, "DELETE FROM tokens WHERE by_user = ? AND id = ?", user, id); err != nil {
			return err
		}
		return tx.audit(ctx, by, "", "authorization.delete", id+" of "+user)
	})
	if err != nil {
		return fmt.Errorf("revoke authorization %.80q: %w", id, err)
	}
	return nil
}
