package sqlstore

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"slipway/internal/state"
)

// AddCert records a certificate and returns it with its ID.
func (s *Store) AddCert(ctx context.Context, by state.Actor, c state.Cert) (state.Cert, error) {
	err := state.CheckCert(c)
	if err == nil {
		c.ID, c.Created = uuid.NewString(), stamp(c.Created)
		err = s.change(ctx, by, c.App, "cert.create", func(tx session, appID string) (string, error) {
			if err := tx.room(ctx, "certs", appID, state.MaxCerts); err != nil {
				return "", err
			}
			return c.ID, tx.exec(ctx, "INSERT INTO certs (id, app_id, chain, secret_key, created_at) VALUES (?, ?, ?, ?, ?)",
				c.ID, appID, c.Chain, s.sealer.Seal(appID, []byte(c.Key)), c.Created.UnixMicro())
		})
	}
	if err != nil {
		return state.Cert{}, fmt.Errorf("add certificate: %w", err)
	}
	return c, nil
}

// ReplaceCert puts a chain and a key in the place of those of the certificate
// with the same ID.
func (s *Store) ReplaceCert(ctx context.Context, by state.Actor, c state.Cert) error {
	err := state.CheckCert(c)
	if err == nil {
		err = s.change(ctx, by, c.App, "cert.update", func(tx session, appID string) (string, error) {
			return c.ID, tx.execOne(ctx, "UPDATE certs SET chain = ?, secret_key = ? WHERE app_id = ? AND id = ?",
				c.Chain, s.sealer.Seal(appID, []byte(c.Key)), appID, c.ID)
		})
	}
	if err != nil {
		return fmt.Errorf("replace certificate %.80q: %w", c.ID, err)
	}
	return nil
}

// Certs lists the certificates of an app, oldest first.
func (s *Store) Certs(ctx context.Context, app string) ([]state.Cert, error) {
	return s.certs(ctx, "WHERE apps.name = ? ORDER BY certs.created_at, certs.id", app)
}

// AllCerts lists the certificates of all apps, oldest first.
func (s *Store) AllCerts(ctx context.Context) ([]state.Cert, error) {
	return s.certs(ctx, "ORDER BY certs.created_at, certs.id")
}

func (s *Store) certs(ctx context.Context, where string, args ...any) ([]state.Cert, error) {
	all, err := list(ctx, s.session, s.scanCert, `SELECT certs.id, apps.id, apps.name, chain, secret_key, certs.created_at
		FROM certs JOIN apps ON apps.id = certs.app_id `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("list certificates: %w", err)
	}
	return all, nil
}

func (s *Store) scanCert(row scanner) (c state.Cert, err error) {
	var appID string
	var sealed []byte
	var created int64
	if err := row.Scan(&c.ID, &appID, &c.App, &c.Chain, &sealed, &created); err != nil {
		return state.Cert{}, err
	}
	key, err := s.sealer.Open(appID, sealed)
	if err != nil {
		return state.Cert{}, fmt.Errorf("read key of certificate %s: %w", c.ID, err)
	}
	c.Key, c.Created = string(key), fromUnix(created)
	return c, nil
}

// DeleteCert forgets a certificate of an app.
func (s *Store) DeleteCert(ctx context.Context, by state.Actor, app, id string) error {
	err := s.change(ctx, by, app, "cert.delete", func(tx session, appID string) (string, error) {
		return id, tx.execOne(ctx, "DELETE FROM certs WHERE app_id = ? AND id = ?", appID, id)
	})
	if err != nil {
		return fmt.Errorf("remove certificate %.80q: %w", id, err)
	}
	return nil
}
