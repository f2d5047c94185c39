//go:build bench

package bench

import (
	"fmt"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"slipway/internal/testkit"
)

const (
	// sleepers is how many apps sleep when the server's memory is measured.
	sleepers = 200
	// visits is how many requests one of them gets then.
	visits = 20_000
	// visitors is how many ask at once. The app queues five connections.
	visitors = 4
	// settleIn is how long the server may take to give memory back.
	settleIn = 10 * time.Second
	// growth is how much more it may hold after the requests, in MB.
	growth = 20
)

// TestMemory measures what the server holds for apps that sleep, and whether
// requests leave anything behind.
func TestMemory(t *testing.T) {
	srv := serve(t, "--idle-timeout", "1s")
	pushSleepers(t, srv)
	allAsleep(t, srv)
	before := settled(t, srv, 0)
	askOften(t, of(srv, sleeper(0)))
	allAsleep(t, srv)
	after := settled(t, srv, before+growth)
	report(t, []row{
		atMost(fmt.Sprintf("memory of the server with %d sleeping apps", sleepers), before, "MB", 200),
		atMost(fmt.Sprintf("the same after %d requests to one of them", visits), after, "MB", before+growth),
	})
}

func sleeper(n int) string { return fmt.Sprintf("asleep-%03d", n) }

// pushSleepers pushes the same tree to many apps, two at once.
func pushSleepers(t *testing.T, srv *testkit.Server) {
	t.Helper()
	dir := workTree(t, "python-hello")
	change(t, dir, 0)
	var pushing errgroup.Group
	pushing.SetLimit(2)
	for n := range sleepers {
		pushing.Go(func() error {
			cmd := exec.CommandContext(t.Context(), "git", "push", "-q", gitAddress(srv, sleeper(n)), "main")
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("push %s: %w\n%s", sleeper(n), err, out)
			}
			return nil
		})
	}
	if err := pushing.Wait(); err != nil {
		t.Fatal(err)
	}
}

// allAsleep waits until no app runs.
func allAsleep(t *testing.T, srv *testkit.Server) {
	t.Helper()
	for n := range sleepers {
		a := of(srv, sleeper(n))
		until(t, a.name+" sleeps", 100*time.Millisecond, func() bool { return a.inState(t, "idle") == 1 })
	}
	until(t, "no container is left", 100*time.Millisecond, func() bool { return containers(t, srv) == 0 })
}

// askOften sends many requests to an app, a few at once.
func askOften(t *testing.T, a *app) {
	t.Helper()
	var asking errgroup.Group
	asking.SetLimit(visitors)
	for range visits {
		asking.Go(func() error { return a.visit(t.Context()) })
	}
	if err := asking.Wait(); err != nil {
		t.Fatalf("ask often: %v", err)
	}
}

// settled is the memory of the server, in MB, when it is not more than enough
// or does not shrink for as long as it may.
func settled(t *testing.T, srv *testkit.Server, enough float64) float64 {
	t.Helper()
	late := time.NewTimer(settleIn)
	defer late.Stop()
	again := time.NewTicker(500 * time.Millisecond)
	defer again.Stop()
	least := resident(t, srv)
	for least > enough {
		select {
		case <-again.C:
			least = min(least, resident(t, srv))
		case <-late.C:
			return least
		}
	}
	return least
}

// resident is the memory that a server's process holds, in MB.
func resident(t *testing.T, srv *testkit.Server) float64 {
	t.Helper()
	held := memoryOf(srv.Cmd.Process.Pid, "VmRSS:")
	if held == 0 {
		t.Fatal("the kernel does not say how much memory the server has")
	}
	return held
}
