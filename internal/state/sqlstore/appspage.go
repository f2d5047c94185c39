package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"slipway/internal/state"
)

// AppsPage lists a page of the apps that a user owns or collaborates on; of all
// apps if user is "". Its cost does not depend on how many apps others have.
func (s *Store) AppsPage(ctx context.Context, user string, p state.Page) ([]state.App, error) {
	p, err := state.CheckPage(p)
	if err != nil {
		return nil, err
	}
	query, args := appsPage(user, p)
	all, err := list(ctx, s.session, scanApp, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list apps: %w", err)
	}
	return all, nil
}

func appsPage(user string, p state.Page) (query string, args []any) {
	in, bounds := within(p)
	way, most := "", atMost(p.Max)
	if p.Desc {
		way = " DESC"
	}
	end := in + " ORDER BY apps." + p.By + way + " LIMIT ?"
	if user == "" {
		return "SELECT " + appColumns + " FROM apps WHERE 1 = 1" + end, append(bounds, most)
	}
	// Each half is short and has an index of its own: one condition with OR would
	// make databases walk all apps, in order, in search of the user's.
	owned := "SELECT " + appColumns + " FROM apps WHERE owner = ?" + end
	shared := "SELECT " + appColumns + " FROM collaborators JOIN apps ON apps.id = collaborators.app_id" +
		" WHERE collaborators.email = ? AND apps.owner <> ?" + end
	args = slices.Concat([]any{user}, bounds, []any{most, user, user}, bounds, []any{most, most})
	return "SELECT * FROM (" + owned + ") AS owned UNION ALL SELECT * FROM (" + shared + ") AS shared ORDER BY " + p.By + way + " LIMIT ?", args
}

// within is the condition that a page's bounds make.
func within(p state.Page) (condition string, args []any) {
	from, to := " >", " <"
	if p.Desc {
		from, to = to, from
	}
	if !p.After {
		from += "="
	}
	if p.From != "" {
		condition, args = condition+" AND apps."+p.By+from+" ?", append(args, p.From)
	}
	if p.To != "" {
		condition, args = condition+" AND apps."+p.By+to+"= ?", append(args, p.To)
	}
	return condition, args
}
