package dyno_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"slipway/internal/dyno"
	"slipway/internal/state"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFormationRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, dyno.Config{}, app(webs(2), workers(1)))
		defer r.stop()
		r.wantLive("web.1@sha256:1 web.2@sha256:1 worker.1@sha256:1")
		r.wantStates("web.1 up, web.2 up, worker.1 up")
		for _, c := range r.backend.all() {
			env := c.spec.Env
			if env["PORT"] == "" || env["DYNO"] != c.spec.Name || env["GREETING"] != "hi" {
				t.Errorf("environment of %s = %v, want PORT, DYNO and the config vars", c.spec.Name, env)
			}
		}
		r.scale(webs(1), workers(2))
		r.wantLive("web.1@sha256:1 worker.1@sha256:1 worker.2@sha256:1")
		r.scale(webs(0), workers(0))
		r.wantLive("")
		r.wantRoute(dyno.ErrNoWeb)
		r.wantLog("shop slipway[web.2]: Process exited with status 143")
	})
}

func TestCrashingDynoIsStartedAgainEverLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, dyno.Config{})
		defer r.stop()
		r.backend.on(func(c *fakeContainer) {
			c.bind(false)
			c.finish(dyno.Exit{Code: 3})
		})
		r.store.apps["shop"] = app(webs(1))
		r.Changed("shop")
		synctest.Wait()
		// The first crash is answered at once.
		if n := len(r.backend.all()); n != 2 {
			t.Errorf("after the first crash there were %d starts, want 2", n)
		}
		r.wantStates("web.1 crashed")
		r.wantRoute(dyno.ErrCrashed)
		for i, pause := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
			later(pause)
			if n := len(r.backend.all()); n != 3+i {
				t.Errorf("after %s there were %d starts, want %d", pause, n, 3+i)
			}
		}
		r.wantLog("Process exited with status 3")
		r.wantLog("State changed from starting to crashed")
		// One that runs again is trusted again.
		r.backend.on(nil)
		later(8 * time.Second)
		r.wantStates("web.1 up")
		later(10 * time.Minute)
		r.backend.all()[len(r.backend.all())-1].finish(dyno.Exit{Code: 1})
		r.wantStates("web.1 up")
	})
}

func TestWebThatNeverBindsIsKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, dyno.Config{})
		defer r.stop()
		r.backend.on(func(c *fakeContainer) { c.bind(false) })
		r.store.apps["shop"] = app(webs(1), workers(1))
		r.Changed("shop")
		r.wantStates("web.1 starting, worker.1 up")
		waited := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 75*time.Second)
		defer cancel()
		if _, err := r.Route(ctx, "shop"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Route to a dyno that never binds: %v, want the deadline", err)
		}
		if d := time.Since(waited); d != 75*time.Second {
			t.Errorf("Route waited %s, want 75s", d)
		}
		r.wantLog("Error R10 (Boot timeout) -> Web process failed to bind to $PORT within 60 seconds of launch")
		r.wantLog("Process exited with status 137")
	})
}

func TestOldWebServesUntilTheNewOneAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, dyno.Config{}, app(webs(1), workers(1)))
		defer r.stop()
		held := r.wantRoute(nil)
		r.backend.on(func(c *fakeContainer) { c.bind(false) })
		r.release(2, slug2)
		// The worker is replaced at once, the web dyno is not.
		r.wantLive("web.1@sha256:1 web.1@sha256:2 worker.1@sha256:2")
		old := r.wantRoute(nil)
		if old.Key != held.Key {
			t.Errorf("while the new dyno starts, requests go to %s, want %s", old.Key, held.Key)
		}
		old.Done()
		r.backend.all()[len(r.backend.all())-1].bind(true)
		for _, c := range r.backend.all() {
			c.bind(true)
		}
		later(100 * time.Millisecond)
		// A request is still under way, so the old one is not stopped yet.
		r.wantLive("web.1@sha256:1 web.1@sha256:2 worker.1@sha256:2")
		fresh := r.wantRoute(nil)
		if fresh.Key == held.Key {
			t.Error("when the new dyno answers, requests still go to the old one")
		}
		fresh.Done()
		held.Done()
		held.Done() // twice is no harm
		r.wantLive("web.1@sha256:2 worker.1@sha256:2")
	})
}

func TestReleaseAfterReleaseNeverLosesTheOneThatAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, dyno.Config{}, app(webs(1)))
		defer r.stop()
		r.backend.on(func(c *fakeContainer) { c.bind(false) })
		r.release(2, slug2)
		r.release(3, slug2)
		r.wantLive("web.1@sha256:1 web.1@sha256:2")
		r.wantRoute(nil).Done()
		r.backend.on(nil)
		r.release(4, slug2)
		r.wantLive("web.1@sha256:2")
		if version := r.List("shop")[0].Release; version != 4 {
			t.Errorf("web.1 is of release %d, want 4", version)
		}
	})
}

func TestProcessThatIgnoresSIGTERMIsKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, dyno.Config{})
		defer r.stop()
		r.backend.on(func(c *fakeContainer) { c.onTerm = func(*fakeContainer) {} })
		r.store.apps["shop"] = app(webs(1))
		r.Changed("shop")
		synctest.Wait()
		r.scale(webs(0))
		later(29 * time.Second)
		r.wantLive("web.1@sha256:1")
		later(2 * time.Second)
		r.wantLive("")
		r.wantLog("Error R12 (Exit timeout) -> At least one process failed to exit within 30 seconds of SIGTERM")
		r.wantLog("Stopping remaining processes with SIGKILL")
	})
}

func TestIdleAppSleepsAndOneRequestWakesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, dyno.Config{Idle: time.Minute}, app(webs(1), workers(1)))
		defer r.stop()
		later(30 * time.Second)
		busy := r.wantRoute(nil)
		later(5 * time.Minute)
		r.wantStates("web.1 up, worker.1 up") // a request is under way
		busy.Done()
		later(62 * time.Second)
		r.wantLive("")
		r.wantStates("web.1 idle, worker.1 idle")
		r.wantLog("slipway[web.1]: Idling")
		if !r.store.apps["shop"].App.Asleep {
			t.Error("the store does not know that the app sleeps")
		}
		starts := len(r.backend.all())
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { r.wantRoute(nil).Done() })
		}
		wg.Wait()
		synctest.Wait()
		if n := len(r.backend.all()) - starts; n != 2 {
			t.Errorf("50 requests started %d dynos, want 2 (web and worker)", n)
		}
		r.wantLog("slipway[web.1]: Unidling")
		synctest.Wait()
		if r.store.apps["shop"].App.Asleep {
			t.Error("the store does not know that the app woke")
		}
	})
}

func TestSleepOutlivesTheServerAndAReleaseEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sleeping := app(webs(1))
		sleeping.App.Asleep = true
		r := start(t, dyno.Config{}, sleeping)
		defer r.stop()
		r.wantLive("")
		r.wantStates("web.1 idle")
		r.Changed("shop") // a new domain, say
		r.wantLive("")
		r.release(2, slug2)
		r.wantLive("web.1@sha256:2")
	})
}

func TestWhoNeverSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		only, never := app(webs(0), workers(1)), app(webs(1))
		never.App.Name, never.App.ID, never.App.Idle = "awake", "id-awake", -1
		r := start(t, dyno.Config{Idle: time.Minute}, only, never)
		defer r.stop()
		later(time.Hour)
		r.wantLive("web.1@sha256:1 worker.1@sha256:1")
	})
}

func TestSpentHoursStopEverythingUntilTheNextMonth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		later(31*24*time.Hour - 2*time.Hour) // synctest begins with a month
		r := start(t, dyno.Config{Quota: time.Hour, Idle: -1}, app(webs(1), workers(1)))
		defer r.stop()
		later(20 * time.Minute)
		q, err := r.Quota(t.Context(), "shop")
		if err != nil || q.Used.Round(time.Minute) != 40*time.Minute || q.App != q.Used || q.Limit != time.Hour {
			t.Errorf("Quota = %+v, %v; want 40 minutes of an hour", q, err)
		}
		later(11 * time.Minute)
		r.wantLive("")
		r.wantRoute(dyno.ErrQuota)
		r.wantLog("The dyno hours of ann for this month are spent")
		if _, err := r.CreateOneOff(t.Context(), state.Actor{}, "shop", dyno.OneOff{Command: "true"}); !errors.Is(err, dyno.ErrQuota) {
			t.Errorf("CreateOneOff with no hours left: %v, want ErrQuota", err)
		}
		r.release(2, slug2)
		r.wantLive("")
		now := time.Now().UTC()
		later(time.Until(time.Date(now.Year(), now.Month()+1, 1, 0, 0, 15, 0, time.UTC)))
		r.wantLive("web.1@sha256:2 worker.1@sha256:2")
	})
}

func TestRestartAndStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, dyno.Config{}, app(webs(2), workers(1)))
		defer r.stop()
		by := state.Actor{User: "ann"}
		starts := len(r.backend.all())
		for which, want := range map[string]int{"web.2": 1, "worker": 1, "": 3} {
			if err := r.Restart(t.Context(), by, "shop", which); err != nil {
				t.Errorf("Restart(%q): %v", which, err)
			}
			synctest.Wait()
			if n := len(r.backend.all()) - starts; n != want {
				t.Errorf("Restart(%q) started %d dynos, want %d", which, n, want)
			}
			starts = len(r.backend.all())
		}
		r.wantStates("web.1 up, web.2 up, worker.1 up")
		if err := r.Restart(t.Context(), by, "shop", "web.3"); !errors.Is(err, dyno.ErrNotFound) {
			t.Errorf("Restart of a missing dyno: %v, want ErrNotFound", err)
		}
		if err := r.Stop(t.Context(), by, "shop", "web"); err != nil {
			t.Errorf("Stop: %v", err)
		}
		later(time.Minute)
		r.wantStates("web.1 down, web.2 down, worker.1 up")
		r.wantRoute(dyno.ErrNoWeb)
		if err := r.Restart(t.Context(), by, "shop", "web"); err != nil {
			t.Errorf("Restart: %v", err)
		}
		r.wantStates("web.1 up, web.2 up, worker.1 up")
	})
}

func TestRequestsGoToTheLeastBusyDynoThatTakesThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, dyno.Config{}, app(webs(2)))
		defer r.stop()
		first, second := r.wantRoute(nil), r.wantRoute(nil)
		if first.Key == second.Key {
			t.Error("two requests at once went to one of two dynos")
		}
		r.Failed("shop", first.Key)
		third := r.wantRoute(nil)
		if third.Key != second.Key {
			t.Error("a dyno that refused a connection got the next request")
		}
		later(time.Second)
		if fourth := r.wantRoute(nil); fourth.Key != first.Key {
			t.Error("a dyno that refused a connection once gets no more requests")
		}
	})
}

func TestWaitingRequestsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, dyno.Config{MaxWaiting: 2})
		defer r.stop()
		r.backend.on(func(c *fakeContainer) { c.bind(false) })
		r.store.apps["shop"] = app(webs(1))
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { _, _ = r.Route(ctx, "shop") })
		}
		synctest.Wait()
		r.wantRoute(dyno.ErrBacklog)
		cancel()
		wg.Wait()
	})
}

func TestBlankAndMissingApps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blank := app(webs(1))
		blank.Release = state.Release{}
		r := start(t, dyno.Config{}, blank)
		defer r.stop()
		r.wantRoute(dyno.ErrNoSlug)
		if _, err := r.Route(t.Context(), "shed"); !errors.Is(err, state.ErrNotFound) {
			t.Errorf("Route to a missing app: %v, want ErrNotFound", err)
		}
	})
}

func TestStoreThatFailsIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, dyno.Config{})
		defer r.stop()
		r.store.apps["shop"] = app(webs(1))
		r.store.fail = 3
		r.Changed("shop")
		r.wantLive("")
		later(5 * time.Second)
		r.wantLive("web.1@sha256:1")
	})
}

func TestAnswerOfTheStoreThatComesTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, dyno.Config{})
		r.store.apps["shop"] = app(webs(1))
		r.store.hold = make(chan struct{})
		r.Changed("shop")
		synctest.Wait()
		stopped := make(chan struct{})
		go func() {
			r.stop()
			close(stopped)
		}()
		synctest.Wait()
		close(r.store.hold)
		<-stopped
		r.wantLive("")
	})
}

func TestRemovedAppLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, dyno.Config{}, app(webs(1), workers(1)))
		defer r.stop()
		if _, err := r.CreateOneOff(t.Context(), state.Actor{User: "ann"}, "shop", dyno.OneOff{Command: "sleep"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		delete(r.store.apps, "shop")
		if err := r.Removed(t.Context(), "shop"); err != nil {
			t.Errorf("Removed: %v", err)
		}
		if live := r.backend.live(); live != "" {
			t.Errorf("when Removed returns, there are still %s", live)
		}
	})
}

func TestOneOffDynos(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, dyno.Config{MaxOneOffs: 2}, app(webs(0)))
		defer r.stop()
		by := state.Actor{User: "ann"}
		r.backend.on(func(c *fakeContainer) {
			if c.spec.Command == "exit 7" {
				c.finish(dyno.Exit{Code: 7})
			}
		})
		// Attached: it starts when somebody comes, and tells how it ended.
		d, err := r.CreateOneOff(t.Context(), by, "shop", dyno.OneOff{Command: "exit 7", Attach: true, Env: map[string]string{"A": "b"}})
		if err != nil || d.State != dyno.Created {
			t.Fatalf("CreateOneOff = %+v, %v; want one that was created", d, err)
		}
		var out bytes.Buffer
		exit, err := r.Attach(t.Context(), "shop", d.Name, dyno.Terminal{Stdin: strings.NewReader("x"), Stdout: &out})
		if err != nil || exit.Code != 7 {
			t.Errorf("Attach = %+v, %v; want code 7", exit, err)
		}
		if env := r.backend.all()[0].spec.Env; env["A"] != "b" || env["DYNO"] != d.Name || env["GREETING"] != "hi" {
			t.Errorf("environment = %v, want A, DYNO and the config vars", env)
		}
		if _, err := r.Attach(t.Context(), "shop", d.Name, dyno.Terminal{}); !errors.Is(err, dyno.ErrNotFound) {
			t.Errorf("Attach again: %v, want ErrNotFound", err)
		}
		// Nobody comes: it goes.
		if _, err = r.CreateOneOff(t.Context(), by, "shop", dyno.OneOff{Command: "sleep", Attach: true}); err != nil {
			t.Fatal(err)
		}
		later(61 * time.Second)
		if n := len(r.List("shop")); n != 0 {
			t.Errorf("a dyno that nobody attached to is still there")
		}
		// Detached: no more than allowed.
		for range 2 {
			if _, err = r.CreateOneOff(t.Context(), by, "shop", dyno.OneOff{Command: "sleep"}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err = r.CreateOneOff(t.Context(), by, "shop", dyno.OneOff{Command: "sleep"}); !errors.Is(err, dyno.ErrLimit) {
			t.Errorf("CreateOneOff of one too many: %v, want ErrLimit", err)
		}
		synctest.Wait()
		if err := r.Stop(t.Context(), by, "shop", "run"); err != nil {
			t.Errorf("Stop: %v", err)
		}
		r.wantLive("")
	})
}

func TestAttachedDynoEndsWithItsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, dyno.Config{}, app())
		defer r.stop()
		d, err := r.CreateOneOff(t.Context(), state.Actor{}, "shop", dyno.OneOff{Command: "sleep", Attach: true})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		exit, err := r.Attach(ctx, "shop", d.Name, dyno.Terminal{Stdin: strings.NewReader(""), Stdout: &bytes.Buffer{}})
		if err != nil || exit.Code != 143 {
			t.Errorf("Attach = %+v, %v; want code 143", exit, err)
		}
	})
}

func TestReleasePhase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, dyno.Config{}, app(webs(0)))
		defer r.stop()
		r.backend.on(func(c *fakeContainer) { c.finish(dyno.Exit{Code: 1}) })
		rel := r.store.apps["shop"].Release
		rel.Version, rel.Slug = 2, slug2
		exit, err := r.RunRelease(t.Context(), rel, &bytes.Buffer{})
		if err != nil || exit.Code != 1 {
			t.Errorf("RunRelease = %+v, %v; want code 1", exit, err)
		}
		spec := r.backend.all()[0].spec
		if spec.Type != "release" || spec.Slug.Digest != slug2 {
			t.Errorf("RunRelease ran %+v, want the release process of the new slug", spec)
		}
		r.wantLive("")
	})
}
