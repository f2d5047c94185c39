package dyno

import "time"

// sweepIdle puts apps to sleep whose web dynos had no request for a while.
func (m *Manager) sweepIdle() {
	now := time.Now()
	for _, a := range m.running() {
		a.sleepIfIdle(now)
	}
}

// idleAfter is how long the app may be without a request; never if it is not
// more than 0. The caller holds a.mu.
func (a *app) idleAfter() time.Duration {
	if a.wanted.App.Idle != 0 {
		return a.wanted.App.Idle
	}
	return a.m.cfg.Idle
}

func (a *app) sleepIfIdle(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	after := a.idleAfter()
	if a.asleep || a.removed || after <= 0 || a.requests > 0 || a.waiting > 0 || now.Sub(a.lastRequest) < after {
		return
	}
	if !a.answers() {
		return
	}
	for name, s := range a.slots {
		if s.kind == web {
			a.m.say(a.name, name, "Idling")
		}
	}
	a.setAsleep(true)
	a.reconcile()
}

// answers tells whether a web dyno is up; what still starts is not idle.
func (a *app) answers() bool {
	for _, s := range a.slots {
		if s.kind == web && s.state == Up {
			return true
		}
	}
	return false
}
