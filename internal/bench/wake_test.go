//go:build bench

package bench

import (
	"testing"
	"time"
)

// compareWakes measures a request to an app that sleeps, until its answer is
// there, and docker run until the same answer is.
func compareWakes(t *testing.T, a *app, d *docker) row {
	t.Helper()
	a.sleepAfter(t, "1s")
	defer a.sleepAfter(t, "never")
	var ours, theirs []float64
	for n := range *rounds + 1 { // the first warms up
		woke, ran := wake(t, a), runOne(t, d)
		if n > 0 {
			ours, theirs = append(ours, woke.Seconds()), append(theirs, ran.Seconds())
		}
	}
	return against("first answer of a sleeping app / of docker run", median(ours), median(theirs), "s", 0.6)
}

func wake(t *testing.T, a *app) time.Duration {
	t.Helper()
	until(t, "the app sleeps", 50*time.Millisecond, func() bool {
		return a.inState(t, "idle") == 1 && containers(t, a.srv) == 0
	})
	started := time.Now()
	if err := a.visit(t.Context()); err != nil {
		t.Fatalf("wake: %v", err)
	}
	return time.Since(started)
}

func runOne(t *testing.T, d *docker) time.Duration {
	t.Helper()
	port := d.ports(t, 1)[0]
	started := time.Now()
	ended, err := d.run(t.Context(), port)
	took := time.Since(started)
	if err != nil {
		t.Fatal(err)
	}
	if err := ended(); err != nil {
		t.Fatalf("docker run: %v", err)
	}
	d.remove(t, port)
	return took
}
