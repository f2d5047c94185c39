package dyno

import (
	"context"
	"fmt"

	"slipway/internal/state"
)

// Restart replaces dynos: all of the app if which is "", else those of a
// process type, or one by its name. Web dynos answer until the new ones do. An
// app that sleeps wakes.
func (m *Manager) Restart(ctx context.Context, by state.Actor, name, which string) error {
	a, err := m.loaded(ctx, name)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.setAsleep(false)
	found := which == ""
	for dyno, p := range a.formation() {
		if which == "" || which == dyno || which == p.Type {
			found = true
			if s := a.slots[dyno]; s != nil {
				a.replace(dyno, p)
			}
		}
	}
	if !found {
		return fmt.Errorf("dyno %q of %s: %w", which, name, ErrNotFound)
	}
	m.say(name, "api", fmt.Sprintf("Restart of %s by user %s", orAll(which), by.User))
	a.reconcile()
	return nil
}

func orAll(which string) string {
	if which == "" {
		return "all dynos"
	}
	return which
}

// Stop ends dynos, those of a process type or one by its name. One of the
// formation stays down until it is restarted or the app gets another release.
func (m *Manager) Stop(ctx context.Context, by state.Actor, name, which string) error {
	a, err := m.loaded(ctx, name)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	found := false
	for dyno, s := range a.slots {
		if which == dyno || which == s.kind {
			found = true
			s.retire()
		}
	}
	for dyno, o := range a.oneOffs {
		if which == dyno || which == run {
			found = true
			o.cancel()
		}
	}
	if !found {
		return fmt.Errorf("dyno %q of %s: %w", which, name, ErrNotFound)
	}
	m.say(name, "api", fmt.Sprintf("Stop of %s by user %s", which, by.User))
	return nil
}
