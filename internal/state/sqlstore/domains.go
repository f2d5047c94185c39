package sqlstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"slipway/internal/state"
)

// AddDomain gives an app a host name, and returns it as it is kept.
// [state.ErrTaken] says that this app or another has it.
func (s *Store) AddDomain(ctx context.Context, by state.Actor, d state.Domain) (state.Domain, error) {
	host, err := state.CheckHostname(d.Hostname)
	if err != nil {
		return state.Domain{}, err
	}
	d.ID, d.Hostname, d.Created = uuid.NewString(), host, stamp(d.Created)
	err = s.change(ctx, by, d.App, "domain.create", func(tx session, appID string) (string, error) {
		if err := tx.room(ctx, "domains", appID, state.MaxDomains); err != nil {
			return "", err
		}
		return d.Hostname, tx.exec(ctx, "INSERT INTO domains (id, app_id, hostname, created_at) VALUES (?, ?, ?, ?)",
			d.ID, appID, d.Hostname, d.Created.UnixMicro())
	})
	if err != nil {
		return state.Domain{}, fmt.Errorf("add domain %s: %w", d.Hostname, err)
	}
	return d, nil
}

// room returns nil if the app may have another row in a table.
func (s session) room(ctx context.Context, table, appID string, limit int) error {
	var n int
	if err := s.one(ctx, []any{&n}, "SELECT count(*) FROM "+table+" WHERE app_id = ?", appID); err != nil {
		return err
	}
	return state.CheckRoom(table, n, limit)
}

const selectDomains = `SELECT domains.id, apps.name, hostname, domains.created_at
	FROM domains JOIN apps ON apps.id = domains.app_id `

func scanDomain(row scanner) (d state.Domain, err error) {
	var created int64
	err = row.Scan(&d.ID, &d.App, &d.Hostname, &created)
	d.Created = fromUnix(created)
	return d, err
}

// Domains lists the host names of an app.
func (s *Store) Domains(ctx context.Context, app string) ([]state.Domain, error) {
	all, err := list(ctx, s.session, scanDomain, selectDomains+"WHERE apps.name = ? ORDER BY hostname", app)
	if err != nil {
		return nil, fmt.Errorf("list domains of %s: %w", app, err)
	}
	return all, nil
}

// DomainOf finds whose a host name is: that of the domain itself, else of the
// wildcard one level up.
func (s *Store) DomainOf(ctx context.Context, hostname string) (state.Domain, error) {
	host := strings.ToLower(strings.TrimSuffix(hostname, "."))
	_, parent, _ := strings.Cut(host, ".")
	all, err := list(ctx, s.session, scanDomain, selectDomains+"WHERE hostname = ? OR hostname = ?", host, "*."+parent)
	if err == nil && len(all) == 0 {
		err = state.ErrNotFound
	}
	if err != nil {
		return state.Domain{}, fmt.Errorf("domain %.300q: %w", hostname, err)
	}
	for _, d := range all {
		if d.Hostname == host {
			return d, nil
		}
	}
	return all[0], nil
}

// DeleteDomain takes a host name from an app.
func (s *Store) DeleteDomain(ctx context.Context, by state.Actor, app, hostname string) error {
	host, err := state.CheckHostname(hostname)
	if err != nil {
		host = hostname // no app has it: not found
	}
	err = s.change(ctx, by, app, "domain.delete", func(tx session, appID string) (string, error) {
		return host, tx.execOne(ctx, "DELETE FROM domains WHERE app_id = ? AND hostname = ?", appID, host)
	})
	if err != nil {
		return fmt.Errorf("remove domain %.300q: %w", hostname, err)
	}
	return nil
}
