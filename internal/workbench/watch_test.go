package workbench_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/internal/workbench"
)

// A watched is a watch that a test drives.
type watched struct {
	runs chan []string
	stop func() error
}

// await is what the next run is told of.
func (w watched) await(t *testing.T) []string {
	t.Helper()
	select {
	case changed := <-w.runs:
		return changed
	case <-time.After(20 * time.Second):
		t.Fatal("no run after a change")
		return nil
	}
}

// untilChanged waits for a run that is told of a file, and returns all that runs
// were told of until then: what one command changes may come as several changes.
func (w watched) untilChanged(t *testing.T, file string) []string {
	t.Helper()
	var all []string
	for !slices.Contains(all, file) {
		all = append(all, w.await(t)...)
	}
	return all
}

func startWatch(t *testing.T, cfg workbench.WatchConfig) watched {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w := watched{runs: make(chan []string, 100)}
	if cfg.Run == nil {
		cfg.Run = func(_ context.Context, changed []string) error {
			w.runs <- changed
			return nil
		}
	}
	cfg.Settle = 5 * time.Millisecond
	ended := make(chan error, 1)
	go func() { ended <- workbench.Watch(ctx, cfg) }()
	w.stop = func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(20 * time.Second):
			return errors.New("the watch goes on")
		}
	}
	t.Cleanup(cancel)
	return w
}

func TestWatchRunsAfterChanges(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"app/Gemfile": "", "app/lib/one": "", "app/.git/HEAD": "", "builder.toml": "", "other": "", "pack/bin/detect": ""})
	at := func(name string) string { return filepath.Join(dir, name) }
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(os.Symlink("pack", at("link")))
	w := startWatch(t, workbench.WatchConfig{Paths: []string{at("app"), at("link"), at("builder.toml")}})
	if changed := w.await(t); len(changed) != 0 {
		t.Errorf("the first run is told of %q, want nothing", changed)
	}
	check(os.WriteFile(at("app/lib/one"), []byte("1"), 0o600))
	w.untilChanged(t, at("app/lib/one"))

	// An editor writes another file and renames it.
	check(os.WriteFile(at("app/.Gemfile.swp"), []byte("new"), 0o600))
	check(os.Rename(at("app/.Gemfile.swp"), at("app/Gemfile")))
	w.untilChanged(t, at("app/Gemfile"))
	check(os.WriteFile(at("app/Gemfile"), []byte("newer"), 0o600))
	w.untilChanged(t, at("app/Gemfile"))

	check(os.Chmod(at("pack/bin/detect"), 0o700))
	w.untilChanged(t, at("link/bin/detect"))

	// The directory of builder.toml is not watched as a whole.
	check(os.WriteFile(at("other"), []byte("1"), 0o600))
	check(os.WriteFile(at("builder.toml.new"), []byte("1"), 0o600))
	check(os.Rename(at("builder.toml.new"), at("builder.toml")))
	if changed := w.untilChanged(t, at("builder.toml")); slices.Contains(changed, at("other")) || slices.Contains(changed, at("builder.toml.new")) {
		t.Errorf("runs are told of %q, want nothing of other files", changed)
	}

	// A directory that is new, with one in it.
	check(os.MkdirAll(at("app/new/deep"), 0o755))
	w.untilChanged(t, at("app/new"))
	check(os.WriteFile(at("app/new/deep/file"), nil, 0o600))
	w.untilChanged(t, at("app/new/deep/file"))

	// One that comes from elsewhere, as from a checkout, and goes.
	check(os.MkdirAll(at("elsewhere/below"), 0o755))
	check(os.Rename(at("elsewhere"), at("app/moved")))
	w.untilChanged(t, at("app/moved"))
	check(os.WriteFile(at("app/moved/below/file"), nil, 0o600))
	w.untilChanged(t, at("app/moved/below/file"))
	check(os.RemoveAll(at("app/moved")))
	w.untilChanged(t, at("app/moved"))

	check(os.WriteFile(at("app/.git/HEAD"), []byte("1"), 0o600))
	check(os.WriteFile(at("app/last"), nil, 0o600))
	if changed := w.untilChanged(t, at("app/last")); slices.Contains(changed, at("app/.git/HEAD")) {
		t.Errorf("runs are told of %q, want nothing of .git", changed)
	}
	if err := w.stop(); err != nil {
		t.Errorf("Watch = %v, want nil", err)
	}
}

func TestWatchStartsAnewWhileDetecting(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"Gemfile": ""})
	began := make(chan []string, 10)
	w := startWatch(t, workbench.WatchConfig{Paths: []string{dir}, Run: func(ctx context.Context, changed []string) error {
		began <- changed
		if len(changed) == 0 {
			<-ctx.Done() // a long run, which a change ends
			return ctx.Err()
		}
		return nil
	}})
	<-began
	write(t, filepath.Join(dir, "new"), "", false)
	if changed := <-began; !slices.Equal(changed, []string{filepath.Join(dir, "new")}) {
		t.Errorf("the second run is told of %q, want the new file", changed)
	}
	if err := w.stop(); err != nil {
		t.Errorf("Watch = %v, want nil", err)
	}
}

func TestWatchEnds(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"Gemfile": ""})
	bad := errors.New("bad")
	err := workbench.Watch(t.Context(), workbench.WatchConfig{Paths: []string{dir}, Run: func(context.Context, []string) error { return bad }})
	if !errors.Is(err, bad) {
		t.Errorf("Watch = %v, want the error of its run", err)
	}
	err = workbench.Watch(t.Context(), workbench.WatchConfig{Paths: []string{filepath.Join(dir, "gone")}})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Watch(gone) = %v, want %v", err, os.ErrNotExist)
	}
	running := make(chan bool)
	w := startWatch(t, workbench.WatchConfig{Paths: []string{dir}, Run: func(ctx context.Context, _ []string) error {
		running <- true
		<-ctx.Done()
		return ctx.Err()
	}})
	<-running
	if err := w.stop(); err != nil {
		t.Errorf("Watch, interrupted = %v, want nil", err)
	}
}

// A script that writes into its app changes what is watched.
func TestWatchSlowsDown(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"Gemfile": ""})
	var notices strings.Builder
	runs := make(chan []string, 100)
	n := 0
	w := startWatch(t, workbench.WatchConfig{Paths: []string{dir}, Notices: &notices, Run: func(ctx context.Context, changed []string) error {
		n++
		runs <- changed
		if slices.Contains(changed, filepath.Join(dir, "mine")) {
			return nil
		}
		write(t, filepath.Join(dir, "log"), strings.Repeat("x", n), false)
		if n <= 6 {
			<-ctx.Done() // it is seen while it runs
		}
		return nil
	}})
	for range 6 {
		<-runs
	}
	write(t, filepath.Join(dir, "mine"), "", false)
	watched{runs: runs}.untilChanged(t, filepath.Join(dir, "mine"))
	if err := w.stop(); err != nil {
		t.Errorf("Watch = %v, want nil", err)
	}
	if !strings.Contains(notices.String(), "changes again and again") {
		t.Errorf("the notices are %q, want one about a buildpack that writes", notices.String())
	}
}

func TestWatchSaysWhatItDoesNotSee(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"a/x": "", "b/x": "", "c/x": "", "d/x": ""})
	var notices strings.Builder
	w := startWatch(t, workbench.WatchConfig{Paths: []string{dir}, Dirs: 3, Notices: &notices})
	w.await(t)
	write(t, filepath.Join(dir, "a", "new"), "", false)
	w.untilChanged(t, filepath.Join(dir, "a", "new"))
	if err := w.stop(); err != nil {
		t.Errorf("Watch = %v, want nil", err)
	}
	if got := strings.Count(notices.String(), "Not every directory is watched"); got != 1 {
		t.Errorf("the notices are %q, want one about directories", notices.String())
	}
}
