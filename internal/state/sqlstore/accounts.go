package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"slipway/internal/state"
)

// AddAccount records an account and returns it with its ID. [state.ErrTaken]
// says that there is one with this email.
func (s *Store) AddAccount(ctx context.Context, by state.Actor, email string, admin bool) (state.Account, error) {
	email, err := state.CheckEmail(email)
	if err != nil {
		return state.Account{}, err
	}
	a := state.Account{ID: state.UserID(email), Email: email, Admin: admin, Created: stamp(time.Time{})}
	err = s.inTx(ctx, func(tx session) error {
		err := tx.exec(ctx, "INSERT INTO accounts (id, email, admin, created_at) VALUES (?, ?, ?, ?)",
			a.ID, a.Email, a.Admin, a.Created.UnixMicro())
		if err != nil {
			return err
		}
		return tx.audit(ctx, by, "", "account.create", a.Email)
	})
	if err != nil {
		return state.Account{}, fmt.Errorf("add account %s: %w", a.Email, err)
	}
	return a, nil
}

const selectAccounts = "SELECT id, email, admin, created_at FROM accounts "

func scanAccount(row scanner) (a state.Account, err error) {
	var created int64
	err = row.Scan(&a.ID, &a.Email, &a.Admin, &created)
	a.Created = fromUnix(created)
	return a, err
}

// Accounts lists all accounts by email.
func (s *Store) Accounts(ctx context.Context) ([]state.Account, error) {
	all, err := list(ctx, s.session, scanAccount, selectAccounts+"ORDER BY email")
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	return all, nil
}

// AccountOf finds an account by its email, as it is kept.
func (s *Store) AccountOf(ctx context.Context, email string) (state.Account, error) {
	return s.account(ctx, "email", email)
}

// AccountByID finds an account by its ID.
func (s *Store) AccountByID(ctx context.Context, id string) (state.Account, error) {
	return s.account(ctx, "id", id)
}

func (s *Store) account(ctx context.Context, column, value string) (state.Account, error) {
	all, err := list(ctx, s.session, scanAccount, selectAccounts+"WHERE "+column+" = ?", value)
	if err == nil && len(all) == 0 {
		err = state.ErrNotFound
	}
	if err != nil {
		return state.Account{}, fmt.Errorf("account %.80q: %w", value, err)
	}
	return all[0], nil
}

// IsAdmin says whether a user may use all apps, and make and delete accounts.
func (s *Store) IsAdmin(ctx context.Context, user string) (bool, error) {
	if user == state.AdminUser {
		return true, nil
	}
	a, err := s.AccountOf(ctx, user)
	if errors.Is(err, state.ErrNotFound) {
		return false, nil
	}
	return a.Admin, err
}

// DeleteAccount forgets an account, its tokens, its keys and where it was a
// collaborator. Its apps stay: administrators may use them still.
func (s *Store) DeleteAccount(ctx context.Context, by state.Actor, email string) error {
	err := s.inTx(ctx, func(tx session) error {
		// The account first: a token that is added at once waits, and then finds no account.
		if err := tx.execOne(ctx, "DELETE FROM accounts WHERE email = ?", email); err != nil {
			return err
		}
		for _, table := range []string{"tokens", "keys"} {
			if err := tx.exec(ctx, "DELETE FROM "+table+" WHERE by_user = ?", email); err != nil {
				return err
			}
		}
		return tx.audit(ctx, by, "", "account.delete", email)
	})
	if err != nil {
		return fmt.Errorf("remove account %.80q: %w", email, err)
	}
	return nil
}

// holdAccount returns nil if there is an account, which nobody deletes until the
// transaction ends. The administrator of the first token is always there.
func (s session) holdAccount(ctx context.Context, email string) error {
	if email == state.AdminUser {
		return nil
	}
	var id string
	err := s.one(ctx, []any{&id}, "SELECT id FROM accounts WHERE email = ?"+s.dialect.ForUpdate, email)
	if err != nil {
		return fmt.Errorf("account %.80q: %w", email, err)
	}
	return nil
}
