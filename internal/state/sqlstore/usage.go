package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"slipway/internal/state"
)

// AddUsage counts the seconds that dynos ran, on top of what was counted before:
// all of it or, with an error, nothing.
func (s *Store) AddUsage(ctx context.Context, usage []state.Usage) error {
	// In one order always: two servers that count at once must not wait for each
	// other in a circle.
	usage = slices.SortedFunc(slices.Values(usage), func(a, b state.Usage) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Month, b.Month), cmp.Compare(a.App, b.App))
	})
	for _, u := range usage {
		if err := state.CheckUsage(u); err != nil {
			return err
		}
	}
	err := s.inTx(ctx, func(tx session) error {
		for _, u := range usage {
			err := tx.exec(ctx, `INSERT INTO dyno_usage (account, month, app_id, seconds) VALUES (?, ?, ?, ?)
				ON CONFLICT (account, month, app_id) DO UPDATE SET seconds = dyno_usage.seconds + excluded.seconds`,
				u.Account, u.Month, u.App, u.Seconds)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("count dyno hours: %w", err)
	}
	return nil
}

// Usage is how many seconds an account's dynos ran in a month, by the apps'
// IDs. Those of deleted apps are among them.
func (s *Store) Usage(ctx context.Context, account, month string) (map[string]int64, error) {
	all, err := list(ctx, s.session, scanUsage,
		"SELECT app_id, seconds FROM dyno_usage WHERE account = ? AND month = ?", account, month)
	if err != nil {
		return nil, fmt.Errorf("read dyno hours: %w", err)
	}
	byApp := make(map[string]int64, len(all))
	for _, u := range all {
		byApp[u.App] = u.Seconds
	}
	return byApp, nil
}

func scanUsage(row scanner) (u state.Usage, err error) {
	err = row.Scan(&u.App, &u.Seconds)
	return u, err
}
