package deploy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/random"
	"go.uber.org/goleak"

	"slipway/internal/deploy"
	"slipway/internal/dyno"
	"slipway/internal/logs"
	"slipway/internal/outputs"
	"slipway/internal/state"
	"slipway/slugs"
)

func TestMain(m *testing.M) {
	// The registry's library starts it and has no way to end it.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/docker/go-events.(*Broadcaster).run"))
}

// fakeReleases keeps the releases of one app in memory.
type fakeReleases struct {
	mu        sync.Mutex
	all       []state.Release // oldest first
	formation []state.Formation

	maintenance bool
	remembers   bool // which commits were built
}

func (f *fakeReleases) Apps(context.Context) ([]state.App, error) {
	return []state.App{{Name: "shop"}}, nil
}

func (f *fakeReleases) AddRelease(_ context.Context, by state.Actor, rel state.Release, after int) (state.Release, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if after != len(f.all) {
		return rel, state.ErrMoved
	}
	rel.Version, rel.User = after+1, by.User
	f.all = append(f.all, rel)
	return rel, nil
}

func (f *fakeReleases) Releases(_ context.Context, _ string, limit int) ([]state.Release, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	newest := slices.Clone(f.all)
	slices.Reverse(newest)
	if limit > 0 {
		newest = newest[:min(limit, len(newest))]
	}
	return newest, nil
}

func (f *fakeReleases) ReleaseOf(_ context.Context, _, commit string) (state.Release, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, rel := range slices.Backward(f.all) {
		if f.remembers && rel.Commit == commit {
			return rel, nil
		}
	}
	return state.Release{}, state.ErrNotFound
}

func (f *fakeReleases) Release(_ context.Context, _ string, version int) (state.Release, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if version < 1 || version > len(f.all) {
		return state.Release{}, state.ErrNotFound
	}
	return f.all[version-1], nil
}

func (f *fakeReleases) DeleteApp(context.Context, state.Actor, string) error { return nil }

func (f *fakeReleases) SetFormation(_ context.Context, _ state.Actor, _ string, formation []state.Formation) error {
	f.formation = formation
	return nil
}

func (f *fakeReleases) SetMaintenance(_ context.Context, _ state.Actor, app string, on bool) error {
	if app != "shop" {
		return state.ErrNotFound
	}
	f.maintenance = on
	return nil
}

// fakeDynos runs release phases that end as they are told to.
type fakeDynos struct {
	mu       sync.Mutex
	exit     dyno.Exit
	ran      []state.Release
	released int
	maintain []bool
}

func (f *fakeDynos) RunRelease(_ context.Context, rel state.Release, out io.Writer) (dyno.Exit, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ran = append(f.ran, rel)
	fmt.Fprintln(out, "migrating")
	return f.exit, nil
}

func (f *fakeDynos) Released(string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.released++
}

func (f *fakeDynos) Maintain(_ string, on bool) { f.maintain = append(f.maintain, on) }

func (f *fakeDynos) Removed(context.Context, string) error { return nil }

type noLogs struct{}

func (noLogs) Append(string, ...logs.Line) {}
func (noLogs) Remove(string) error         { return nil }
func (noLogs) Writer(string, string, string) io.WriteCloser {
	return struct {
		io.Writer
		io.Closer
	}{io.Discard, io.NopCloser(nil)}
}

type rig struct {
	*deploy.Deployer
	releases *fakeReleases
	dynos    *fakeDynos
	slugs    *slugs.Registry
}

func newRig(t *testing.T) *rig {
	t.Helper()
	reg, err := slugs.Open(t.Context(), slugs.Config{
		Dir: t.TempDir(), Authorize: func(context.Context, string, string, slugs.Action) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := outputs.Open(outputs.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{releases: &fakeReleases{}, dynos: &fakeDynos{}, slugs: reg}
	r.Deployer = deploy.New(deploy.Config{
		Releases: r.releases, Formations: r.releases, Slugs: reg, Dynos: r.dynos, Logs: noLogs{}, Outputs: kept,
	})
	return r
}

// push records a release as a push would: a slug in the registry, and its row.
func (r *rig) push(t *testing.T, processes ...string) state.Release {
	t.Helper()
	img, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	newest, _ := r.releases.Releases(t.Context(), "shop", 1)
	rel := state.Release{App: "shop", Commit: fmt.Sprintf("%040d", len(newest))}
	if len(newest) > 0 {
		rel.Config = newest[0].Config
		rel.Version = newest[0].Version
	}
	if err := r.slugs.Import(t.Context(), img, "shop", fmt.Sprintf("v%d", rel.Version+1)); err != nil {
		t.Fatal(err)
	}
	found, err := r.slugs.Resolve(t.Context(), "shop", fmt.Sprintf("v%d", rel.Version+1))
	if err != nil {
		t.Fatal(err)
	}
	rel.Slug = found.Digest
	for _, kind := range processes {
		rel.Processes = append(rel.Processes, state.Process{Type: kind, Command: kind})
	}
	rel, err = r.releases.AddRelease(t.Context(), state.Actor{}, rel, rel.Version)
	if err != nil {
		t.Fatal(err)
	}
	return rel
}

func set(pairs ...string) map[string]*string {
	changes := make(map[string]*string)
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		changes[name] = nil
		if ok {
			changes[name] = &value
		}
	}
	return changes
}

var ann = state.Actor{User: "ann", From: "127.0.0.1"}

func TestConfigVarsMakeReleases(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		changes     map[string]*string
		version     int
		config      map[string]string
		description string
	}{
		{set("B=2", "A=1"), 1, map[string]string{"A": "1", "B": "2"}, "Set A, B config vars"},
		{set("A=1"), 1, map[string]string{"A": "1", "B": "2"}, "Set A, B config vars"}, // nothing new
		{set("C"), 1, map[string]string{"A": "1", "B": "2"}, "Set A, B config vars"},   // nothing to remove
		{set("A", "B=3"), 2, map[string]string{"B": "3"}, "Set B config vars, Remove A config vars"},
	} {
		rel, err := r.SetConfig(t.Context(), ann, "shop", c.changes)
		if err != nil || rel.Version != c.version || !maps.Equal(rel.Config, c.config) || rel.Description != c.description {
			t.Errorf("SetConfig = v%d %v %q, %v; want v%d %v %q", rel.Version, rel.Config, rel.Description, err, c.version, c.config, c.description)
		}
		if rel.App != "shop" || rel.User != "ann" || rel.Created.IsZero() {
			t.Errorf("SetConfig = a release of %q by %q at %s, want one of shop by ann", rel.App, rel.User, rel.Created)
		}
	}
	if r.dynos.released != 2 {
		t.Errorf("dynos were told of %d releases, want 2", r.dynos.released)
	}
	if _, err := r.SetConfig(t.Context(), ann, "shop", set("PORT=1")); !errors.Is(err, state.ErrInvalid) {
		t.Errorf("SetConfig of PORT: %v, want ErrInvalid", err)
	}
}

func TestConfigVarsKeepTheSlug(t *testing.T) {
	r := newRig(t)
	pushed := r.push(t, "web")
	rel, err := r.SetConfig(t.Context(), ann, "shop", set("A=1"))
	if err != nil || rel.Slug != pushed.Slug || rel.Commit != pushed.Commit || rel.Ref != "" {
		t.Errorf("SetConfig = %+v, %v; want the slug and commit of v1, and no ref", rel, err)
	}
	for _, tag := range []string{"v2", "latest"} {
		if img, err := r.slugs.Resolve(t.Context(), "shop", tag); err != nil || img.Digest != pushed.Slug {
			t.Errorf("%s names %s, %v; want %s", tag, img.Digest, err, pushed.Slug)
		}
	}
}

func TestConfigVarsAtOnceAllCount(t *testing.T) {
	r := newRig(t)
	r.push(t, "web")
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			if _, err := r.SetConfig(t.Context(), ann, "shop", set(fmt.Sprintf("N%d=x", n))); err != nil {
				t.Errorf("SetConfig: %v", err)
			}
		})
	}
	wg.Wait()
	newest, _ := r.releases.Releases(t.Context(), "shop", 1)
	if newest[0].Version != 9 || len(newest[0].Config) != 8 {
		t.Errorf("after 8 changes at once the newest is v%d with %d config vars, want v9 with 8", newest[0].Version, len(newest[0].Config))
	}
}

func TestReleasePhaseThatFailsReleasesNothing(t *testing.T) {
	r := newRig(t)
	r.push(t, "web", "release")
	r.push(t, "web", "release")
	r.dynos.exit = dyno.Exit{Code: 3}
	var failed *deploy.PhaseError
	if _, err := r.SetConfig(t.Context(), ann, "shop", set("A=1")); !errors.As(err, &failed) || failed.Code != 3 || !errors.Is(err, state.ErrInvalid) {
		t.Errorf("SetConfig: %v, want a PhaseError of 3", err)
	}
	if ran := r.dynos.ran[0]; ran.Config["A"] != "1" || ran.Version != 3 {
		t.Errorf("the release phase ran with v%d %v, want v3 with A", ran.Version, ran.Config)
	}
	if _, err := r.Rollback(t.Context(), ann, "shop", 1); !errors.As(err, &failed) {
		t.Errorf("Rollback: %v, want a PhaseError", err)
	}
	if len(r.releases.all) != 2 || r.dynos.released != 0 {
		t.Errorf("there are %d releases, %d of them told to dynos; want 2 and 0", len(r.releases.all), r.dynos.released)
	}
	if _, err := r.slugs.Resolve(t.Context(), "shop", "v3"); !errors.Is(err, slugs.ErrNotFound) {
		t.Errorf("tag v3: %v, want ErrNotFound", err)
	}
	r.dynos.exit = dyno.Exit{Code: 137, OOMKilled: true}
	if _, err := r.SetConfig(t.Context(), ann, "shop", set("A=1")); err == nil || !strings.Contains(err.Error(), "Memory") {
		t.Errorf("SetConfig after the kernel killed the phase: %v, want words of memory", err)
	}
}

func TestRollback(t *testing.T) {
	r := newRig(t)
	if _, err := r.SetConfig(t.Context(), ann, "shop", set("A=1")); err != nil {
		t.Fatal(err)
	}
	first := r.push(t, "web")
	r.push(t, "web", "worker")
	if _, err := r.SetConfig(t.Context(), ann, "shop", set("A=2")); err != nil {
		t.Fatal(err)
	}
	rel, err := r.Rollback(t.Context(), ann, "shop", 2)
	if err != nil || rel.Version != 5 || rel.Slug != first.Slug || rel.Config["A"] != "1" || len(rel.Processes) != 1 || rel.Description != "Rollback to v2" {
		t.Errorf("Rollback = %+v, %v; want v5 with all of v2", rel, err)
	}
	for version, want := range map[int]error{1: deploy.ErrNoSlug, 5: deploy.ErrCurrent, 99: state.ErrNotFound} {
		if _, err := r.Rollback(t.Context(), ann, "shop", version); !errors.Is(err, want) {
			t.Errorf("Rollback to v%d: %v, want %v", version, err, want)
		}
	}
	for _, tag := range []string{"v2", "v5", "latest"} {
		if err := r.slugs.Untag(t.Context(), "shop", tag); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.slugs.Sweep(t.Context(), func(_, tag string) bool { return tag != "v2" && tag != "v5" }); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Rollback(t.Context(), ann, "shop", 2); !errors.Is(err, deploy.ErrSwept) {
		t.Errorf("Rollback to a swept slug: %v, want ErrSwept", err)
	}
}

func TestReuseTakesTheSlugAndTheNewestConfig(t *testing.T) {
	r := newRig(t)
	first := r.push(t, "web")
	r.push(t, "web", "worker")
	if _, err := r.SetConfig(t.Context(), ann, "shop", set("A=2")); err != nil {
		t.Fatal(err)
	}
	rel, err := r.Reuse(t.Context(), ann, "shop", 1, "Again")
	if err != nil || rel.Version != 4 || rel.Slug != first.Slug || rel.Config["A"] != "2" || len(rel.Processes) != 1 || rel.Description != "Again" {
		t.Errorf("Reuse = %+v, %v; want v4 with the slug of v1 and A=2", rel, err)
	}
	if rel, err = r.Reuse(t.Context(), ann, "shop", 4, "Retry"); err != nil || rel.Version != 5 || rel.Slug != first.Slug {
		t.Errorf("Reuse of the newest = %+v, %v; want v5", rel, err)
	}
	if _, err := r.Reuse(t.Context(), ann, "shop", 99, "x"); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("Reuse of v99: %v, want ErrNotFound", err)
	}
}

func TestScale(t *testing.T) {
	r := newRig(t)
	r.push(t, "web", "worker", "release")
	want := []state.Formation{{App: "shop", Type: "worker", Quantity: 2}}
	if err := r.Scale(t.Context(), ann, "shop", want); err != nil || !slices.Equal(r.releases.formation, want) || r.dynos.released != 1 {
		t.Errorf("Scale: %v, formation %v, told %d times; want %v, once", err, r.releases.formation, r.dynos.released, want)
	}
	for _, kind := range []string{"clock", "release"} {
		err := r.Scale(t.Context(), ann, "shop", []state.Formation{{Type: kind, Quantity: 1}})
		if !errors.Is(err, deploy.ErrNoProcess) || !errors.Is(err, state.ErrNotFound) {
			t.Errorf("Scale of %s: %v, want ErrNoProcess", kind, err)
		}
	}
}

func TestSetMaintenanceTellsTheDynos(t *testing.T) {
	r := newRig(t)
	ann := state.Actor{User: "ann"}
	for _, on := range []bool{true, false} {
		if err := r.SetMaintenance(t.Context(), ann, "shop", on); err != nil || r.releases.maintenance != on {
			t.Errorf("SetMaintenance(%t) = %v and records %t", on, err, r.releases.maintenance)
		}
	}
	if err := r.SetMaintenance(t.Context(), ann, "shed", true); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("SetMaintenance of a missing app = %v, want %v", err, state.ErrNotFound)
	}
	if got := fmt.Sprint(r.dynos.maintain); got != "[true false]" {
		t.Errorf("the dynos were told %s, want [true false]", got)
	}
}
