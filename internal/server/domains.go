package server

import (
	"context"
	"strings"

	"slipway/internal/state"
	"slipway/internal/state/sqlstore"
)

// domains keeps apps from taking host names that are the server's to give.
type domains struct {
	*sqlstore.Store
	own    string
	suffix string // ".DOMAIN"
}

// AddDomain refuses the server's own name and what lies below --domain.
func (d domains) AddDomain(ctx context.Context, by state.Actor, domain state.Domain) (state.Domain, error) {
	name := strings.TrimPrefix(strings.ToLower(strings.TrimSuffix(domain.Hostname, ".")), "*.")
	if name == d.own || strings.HasSuffix("."+name, d.suffix) {
		return domain, state.Invalid("%.80q belongs to this server: each app is at APP%s anyhow; choose a name of a domain of yours", domain.Hostname, d.suffix)
	}
	return d.Store.AddDomain(ctx, by, domain)
}
