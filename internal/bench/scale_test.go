//go:build bench

package bench

import (
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// manyDynos is to how many dynos an app is scaled.
const manyDynos = 10

// compareScales measures an app with one dyno that is scaled to ten, until all
// are up, and nine more containers beside one that runs, until all answer.
func compareScales(t *testing.T, a *app, d *docker) row {
	t.Helper()
	first := d.ports(t, 1)[0]
	ended, err := d.run(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	if err := ended(); err != nil {
		t.Fatalf("docker run: %v", err)
	}
	defer d.remove(t, first)
	if err := a.visit(t.Context()); err != nil { // it may sleep
		t.Fatal(err)
	}
	var ours, theirs []float64
	for n := range *rounds + 1 { // the first warms up
		scaled, ran := scaleUp(t, a), runMany(t, d, manyDynos-1)
		if n > 0 {
			ours, theirs = append(ours, scaled.Seconds()), append(theirs, ran.Seconds())
		}
	}
	return against("web=1 to web=10, all up / nine times docker run", median(ours), median(theirs), "s", 0.6)
}

func scaleUp(t *testing.T, a *app) time.Duration {
	t.Helper()
	started := time.Now()
	a.scale(t, manyDynos)
	until(t, "ten dynos are up", 10*time.Millisecond, func() bool { return a.inState(t, "up") == manyDynos })
	took := time.Since(started)
	a.scale(t, 1)
	until(t, "nine dynos are gone", 50*time.Millisecond, func() bool { return containers(t, a.srv) == 1 })
	return took
}

func runMany(t *testing.T, d *docker, n int) time.Duration {
	t.Helper()
	ports := d.ports(t, n)
	ended := make([]func() error, n)
	var running errgroup.Group
	started := time.Now()
	for i, port := range ports {
		running.Go(func() (err error) {
			ended[i], err = d.run(t.Context(), port)
			return err
		})
	}
	err := running.Wait()
	took := time.Since(started)
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range ended {
		if err := end(); err != nil {
			t.Fatalf("docker run: %v", err)
		}
	}
	d.remove(t, ports...)
	return took
}
