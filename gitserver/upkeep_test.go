package gitserver_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/gitserver"
)

// runUpkeep runs upkeep until the returned function is called.
func (w *world) runUpkeep() (stop func()) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- w.srv.RunUpkeep(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("RunUpkeep() = %v, want nil", err)
		}
	})
	w.t.Cleanup(stop)
	return stop
}

func (w *world) packs(name string) int {
	w.t.Helper()
	list, err := filepath.Glob(filepath.Join(w.dir, name+".git", "objects/pack/*.pack"))
	if err != nil {
		w.t.Fatal(err)
	}
	return len(list)
}

// Pushes leave few packs, while they come and once they have stopped; who
// fetches meanwhile gets everything.
func TestUpkeepBesidePushes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.runUpkeep()
	url, dir := w.url(gitserver.TransportHTTP, "shop"), w.work()
	most := 0
	for i := range 36 {
		w.commit(dir, "app.py", fmt.Sprint("print(", i, ")"))
		w.git(dir, "push", "-q", url, "main", fmt.Sprintf("main:refs/tags/t%d", i))
		most = max(most, w.packs("shop"))
		if i%12 == 11 {
			w.git(t.TempDir(), "clone", "-q", url, "copy")
		}
	}
	if most > 30 {
		t.Errorf("there were %d packs at once, want at most 30", most)
	}
	eventually(t, 20*time.Second, "few packs", func() bool { return w.packs("shop") < 15 && w.srv.UpkeepStats().Pending == 0 })
	if got := w.srv.UpkeepStats(); got.Rounds == 0 || got.Packs < 10 || got.Failed > 0 {
		t.Errorf("UpkeepStats() = %+v, want packs that were joined", got)
	}
	w.check("shop")
}

// What was left to do when the server ended is done after its start. A
// repository that is damaged does not keep it from the others.
func TestUpkeepAtStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, func(c *gitserver.Config) { c.SweepAfter = time.Nanosecond })
	dir := w.work()
	for _, name := range []string{"spoilt", "shop"} {
		url := w.url(gitserver.TransportHTTP, name)
		for i := range 12 {
			w.commit(dir, "app.py", fmt.Sprint("print(", i, ")"))
			w.git(dir, "push", "-q", url, "+main")
		}
		w.git(dir, "push", "-q", url, "+main~3:main")
	}
	gone := w.rev(dir, "main")
	list, err := filepath.Glob(filepath.Join(w.dir, "spoilt.git/objects/pack/*.pack"))
	if err != nil || len(list) < 12 {
		t.Fatal(list, err)
	}
	if err := errors.Join(os.Chmod(list[0], 0o644), os.WriteFile(list[0], []byte("PACK"), 0o644)); err != nil {
		t.Fatal(err)
	}
	stop := w.runUpkeep()
	eventually(t, 20*time.Second, "few packs and nothing to sweep", func() bool {
		s := w.srv.UpkeepStats()
		return w.packs("shop") == 1 && s.Swept > 0 && s.Failed > 0
	})
	stop()
	if out := w.gitFails(w.dir, "--git-dir", filepath.Join(w.dir, "shop.git"), "cat-file", "-e", gone); strings.Contains(out, "repository") {
		t.Error(out)
	}
	w.check("shop")
	w.git(t.TempDir(), "clone", "-q", w.url(gitserver.TransportHTTP, "shop"), "copy")
	if got := w.packs("spoilt"); got < 12 {
		t.Errorf("%d packs are left of a damaged repository, want all", got)
	}
}

// A repository that is removed, and made again, is none of upkeep's business.
func TestUpkeepOfRemovedRepositories(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.runUpkeep()
	url, dir := w.url(gitserver.TransportHTTP, "shop"), w.work()
	for i := range 12 {
		w.commit(dir, "app.py", fmt.Sprint("print(", i, ")"))
		w.git(dir, "push", "-q", url, "main")
		if i%4 == 3 {
			if err := w.srv.RemoveRepository(t.Context(), "shop"); err != nil {
				t.Fatal(err)
			}
		}
	}
	eventually(t, 20*time.Second, "nothing to do", func() bool { return w.srv.UpkeepStats().Pending == 0 })
	if got := w.srv.UpkeepStats().Failed; got > 0 {
		t.Errorf("upkeep failed %d times", got)
	}
	if w.srv.RepositoryExists("shop") {
		t.Error("the repository exists again")
	}
}
