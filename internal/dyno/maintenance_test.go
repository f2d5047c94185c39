package dyno_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/dyno"
)

// maintain turns maintenance mode on or off as the API does: the store first.
func (r *rig) maintain(on bool) {
	r.store.mu.Lock()
	w := r.store.apps["shop"]
	w.App.Maintenance = on
	r.store.apps["shop"] = w
	r.store.mu.Unlock()
	r.Maintain("shop", on)
}

func (r *rig) wantMaintenance(page string) {
	r.t.Helper()
	_, err := r.Route(r.t.Context(), "shop")
	if down := (*dyno.MaintenanceError)(nil); !errors.As(err, &down) || down.Page != page {
		r.t.Errorf("Route: %#v, want maintenance mode with page %q", err, page)
	}
}

func TestMaintenanceKeepsRequestsFromDynos(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := app(webs(1))
		w.Release.Config["MAINTENANCE_PAGE_URL"] = "https://example.com/down"
		r := start(t, dyno.Config{Idle: -1}, w)
		defer r.stop()
		r.wantRoute(nil).Done()
		r.maintain(true)
		r.wantMaintenance("https://example.com/down") // at once
		r.wantLive("web.1@sha256:1")
		r.wantMaintenance("https://example.com/down") // and after the store was read
		r.maintain(false)
		r.wantRoute(nil).Done()
	})
}

// TestMaintenanceHoldsAgainstOlderNews reads the app just before it is changed,
// and learns of it after.
func TestMaintenanceHoldsAgainstOlderNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, dyno.Config{Idle: -1}, app(webs(1)))
		defer r.stop()
		r.store.mu.Lock()
		r.store.stale = make(chan struct{})
		r.store.mu.Unlock()
		r.Changed("shop")
		synctest.Wait()
		r.maintain(true)
		r.store.mu.Lock()
		r.store.hold = make(chan struct{}) // the next reading
		r.store.mu.Unlock()
		close(r.store.stale)
		synctest.Wait()
		r.wantMaintenance("")
		close(r.store.hold)
		synctest.Wait()
		r.wantMaintenance("")
	})
}

func TestMaintenanceWakesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sleeping := app(webs(1))
		sleeping.App.Asleep, sleeping.App.Maintenance = true, true // since before the server's start
		r := start(t, dyno.Config{}, sleeping)
		defer r.stop()
		r.wantMaintenance("")
		r.wantStates("web.1 idle")
		r.maintain(false)
		r.wantRoute(nil).Done()
		r.wantStates("web.1 up")
	})
}

func TestMaintenanceEndsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, dyno.Config{})
		defer r.stop()
		r.backend.on(func(c *fakeContainer) { c.bind(false) })
		r.store.apps["shop"] = app(webs(1))
		r.Changed("shop")
		ended := make(chan error, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 75*time.Second)
		defer cancel()
		go func() {
			_, err := r.Route(ctx, "shop")
			ended <- err
		}()
		synctest.Wait()
		r.maintain(true)
		synctest.Wait()
		select {
		case err := <-ended:
			if down := (*dyno.MaintenanceError)(nil); !errors.As(err, &down) {
				t.Errorf("Route: %v, want maintenance mode", err)
			}
		default:
			t.Error("a request waits for a dyno in maintenance mode")
		}
	})
}
