package dyno

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"slipway/internal/state"
)

// usage counts dyno hours: the time of every dyno that runs, one-off ones
// included, charged to the owner of its app.
type usage struct {
	store Store
	quota time.Duration
	log   *zap.Logger

	mu      sync.Mutex
	month   string
	used    map[string]time.Duration // this month, by account
	blocked int                      // accounts that were over the quota when it was last counted
	pending map[charged]time.Duration
	running map[*meter]struct{}
}

// charged is what time is counted under.
type charged struct{ account, app string }

// A meter runs as long as its dyno.
type meter struct {
	charged
	last time.Time // until when it was counted
}

func newUsage(cfg Config) *usage {
	return &usage{
		store: cfg.Store, quota: cfg.Quota, log: cfg.Log.Named("dyno"),
		month: state.Month(time.Now()), used: make(map[string]time.Duration),
		pending: make(map[charged]time.Duration), running: make(map[*meter]struct{}),
	}
}

// load reads what was used this month, if there is a quota to hold it against.
func (u *usage) load(ctx context.Context, all []state.Wanted) error {
	if u.quota == 0 {
		return nil
	}
	for _, w := range all {
		account := w.App.Owner
		u.mu.Lock()
		_, known := u.used[account]
		u.mu.Unlock()
		if known {
			continue
		}
		used, err := u.store.Usage(ctx, account, u.month)
		if err != nil {
			return fmt.Errorf("read used dyno hours: %w", err)
		}
		u.mu.Lock()
		u.used[account] += sum(used)
		u.mu.Unlock()
	}
	return nil
}

func sum(seconds map[string]int64) time.Duration {
	var all time.Duration
	for _, n := range seconds {
		all += time.Duration(n) * time.Second
	}
	return all
}

// charge counts a dyno's time until the returned function is called.
func (a *app) charge() (end func()) {
	a.mu.Lock()
	by := charged{account: a.wanted.App.Owner, app: a.wanted.App.ID}
	a.mu.Unlock()
	return a.m.usage.start(by)
}

func (u *usage) start(by charged) (end func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	m := &meter{charged: by, last: time.Now()}
	u.running[m] = struct{}{}
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.take(m, time.Now())
		delete(u.running, m)
	}
}

// take counts a meter up to now. The caller holds u.mu.
func (u *usage) take(m *meter, now time.Time) {
	passed := now.Sub(m.last)
	m.last = now
	u.pending[m.charged] += passed
	u.used[m.account] += passed
}

// spent tells whether an account has used its dyno hours of this month.
func (u *usage) spent(account string) bool {
	if u.quota == 0 {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.used[account] >= u.quota
}

// count reads the meters and writes whole seconds down. It says whether an
// account may have crossed its quota, one way or the other.
func (u *usage) count(ctx context.Context) (crossed bool) {
	u.mu.Lock()
	for m := range u.running {
		u.take(m, time.Now())
	}
	month := u.month
	var rows []state.Usage
	for by, passed := range u.pending {
		if whole := passed.Truncate(time.Second); whole > 0 {
			rows = append(rows, state.Usage{Account: by.account, App: by.app, Month: month, Seconds: int64(whole / time.Second)})
			u.pending[by] -= whole
		}
		if u.pending[by] == 0 {
			delete(u.pending, by)
		}
	}
	if now := state.Month(time.Now()); now != month {
		u.month = now
		clear(u.used)
	}
	over := u.over()
	crossed = over != u.blocked
	u.blocked = over
	u.mu.Unlock()
	if len(rows) == 0 {
		return crossed
	}
	if err := u.store.AddUsage(ctx, rows); err != nil {
		u.log.Warn("used dyno hours not written: trying again", zap.Error(err))
		u.mu.Lock()
		defer u.mu.Unlock()
		for _, r := range rows {
			u.pending[charged{r.Account, r.App}] += time.Duration(r.Seconds) * time.Second
		}
	}
	return crossed
}

// over counts the accounts that have spent their quota. The caller holds u.mu.
func (u *usage) over() int {
	n := 0
	for _, used := range u.used {
		if u.quota > 0 && used >= u.quota {
			n++
		}
	}
	return n
}

// unwritten is what count has not written down yet.
func (u *usage) unwritten(by charged) (account, app time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := time.Now()
	for m := range u.running {
		u.take(m, now)
	}
	for have, passed := range u.pending {
		if have.account == by.account {
			account += passed
		}
	}
	return account, u.pending[by]
}

// Quota says how many dyno hours an app and its account have used this month.
func (m *Manager) Quota(ctx context.Context, name string) (Quota, error) {
	a, err := m.loaded(ctx, name)
	if err != nil {
		return Quota{}, err
	}
	a.mu.Lock()
	by := charged{account: a.wanted.App.Owner, app: a.wanted.App.ID}
	a.mu.Unlock()
	written, err := m.cfg.Store.Usage(ctx, by.account, state.Month(time.Now()))
	if err != nil {
		return Quota{}, fmt.Errorf("read used dyno hours: %w", err)
	}
	account, app := m.usage.unwritten(by)
	return Quota{
		Limit: m.cfg.Quota, Used: sum(written) + account,
		App: time.Duration(written[by.app])*time.Second + app,
	}, nil
}

// enforce stops the dynos of accounts that have spent their hours, and starts
// those of accounts that have new ones.
func (m *Manager) enforce() {
	for _, a := range m.running() {
		a.mu.Lock()
		if a.known {
			a.sayQuota()
			a.reconcile()
		}
		a.mu.Unlock()
	}
}

// sayQuota tells the app's log why its dynos stop. The caller holds a.mu.
func (a *app) sayQuota() {
	if len(a.slots) > 0 && a.m.usage.spent(a.wanted.App.Owner) {
		a.m.say(a.name, "api", "The dyno hours of "+a.wanted.App.Owner+" for this month are spent: all dynos stop until the next month begins, or until the operator raises --dyno-hours")
	}
}
