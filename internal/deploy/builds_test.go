package deploy_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/google/go-containerregistry/pkg/v1/random"

	"slipway/buildpacks/build"
	"slipway/gitserver"
	"slipway/internal/deploy"
	"slipway/internal/dyno"
	"slipway/internal/outputs"
	"slipway/internal/sources"
	"slipway/internal/state"
	"slipway/slugs"
)

// fakeBuilds keeps records of builds in memory.
type fakeBuilds struct {
	mu     sync.Mutex
	all    []state.Build
	refuse error // of AddBuild
}

func (f *fakeBuilds) AddBuild(_ context.Context, by state.Actor, b state.Build) (state.Build, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != nil {
		return state.Build{}, f.refuse
	}
	b.ID, b.User, b.Status = fmt.Sprintf("00000000-0000-0000-0000-%012d", len(f.all)), by.User, state.BuildPending
	f.all = append(f.all, b)
	return b, nil
}

func (f *fakeBuilds) EndBuild(_ context.Context, id, status, slug string, release int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.all, func(b state.Build) bool { return b.ID == id && b.Status == state.BuildPending })
	if i < 0 {
		return state.ErrNotFound
	}
	f.all[i].Status, f.all[i].Slug, f.all[i].Release = status, slug, release
	return nil
}

func (f *fakeBuilds) Build(_ context.Context, _, id string) (state.Build, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.all, func(b state.Build) bool { return b.ID == id })
	if i < 0 {
		return state.Build{}, state.ErrNotFound
	}
	return f.all[i], nil
}

func (f *fakeBuilds) SettleBuilds(context.Context) error { return nil }

// fakeBuildpacks are what an app was set to use.
type fakeBuildpacks struct{ set state.Buildpacks }

func (f *fakeBuildpacks) Buildpacks(context.Context, string) (state.Buildpacks, error) {
	return f.set, nil
}

// fakeBuilder puts random images into the registry.
type fakeBuilder struct {
	slugs *slugs.Registry
	run   func(ctx context.Context, r build.Request) error // before that, unless it is nil
}

func (b *fakeBuilder) Build(ctx context.Context, r build.Request) (*build.Result, error) {
	fmt.Fprintln(r.Progress, "-----> Building here")
	if b.run != nil {
		if err := b.run(ctx, r); err != nil {
			return nil, err
		}
	}
	img, err := random.Image(64, 1)
	if err != nil {
		return nil, err
	}
	_, tag, _ := strings.Cut(strings.TrimPrefix(r.Image, "registry/"), ":")
	if err := b.slugs.Import(ctx, img, r.App, tag); err != nil {
		return nil, err
	}
	digest, err := img.Digest()
	return &build.Result{
		Digest:    digest.String(),
		Processes: []build.Process{{Type: "web", Command: []string{"serve"}}, {Type: "release", Command: []string{"migrate"}}},
	}, err
}

func (b *fakeBuilder) PythonVersions() []string                  { return nil }
func (b *fakeBuilder) ForgetCache(context.Context, string) error { return nil }

// A buildRig has what builds need.
type buildRig struct {
	*deploy.Deployer
	builds   *fakeBuilds
	builder  *fakeBuilder
	releases *fakeReleases
	dynos    *fakeDynos
	outputs  *outputs.Store
	set      *fakeBuildpacks
	turn     chan struct{} // holds one token while nobody has the app's turn
}

func newBuildRig(t *testing.T) *buildRig {
	t.Helper()
	r := &buildRig{
		builds: &fakeBuilds{}, releases: &fakeReleases{}, dynos: &fakeDynos{}, turn: make(chan struct{}, 1),
		set: &fakeBuildpacks{},
	}
	reg, err := slugs.Open(t.Context(), slugs.Config{
		Dir: t.TempDir(), Authorize: func(context.Context, string, string, slugs.Action) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.outputs, err = outputs.Open(outputs.Config{Dir: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	r.builder = &fakeBuilder{slugs: reg}
	r.turn <- struct{}{}
	r.Deployer = deploy.New(deploy.Config{
		Releases: r.releases, Formations: r.releases, Builds: r.builds, Buildpacks: r.set, Outputs: r.outputs, Builder: r.builder,
		Slugs: reg, Dynos: r.dynos, Logs: noLogs{}, Registry: "registry", Stack: "test",
		Image:    func(app, tag string) string { return app + ":" + tag },
		WebURL:   func(app string) string { return "http://" + app + "/" },
		Source:   sources.Limits{Bytes: 1 << 20, Files: 100},
		TakeTurn: r.takeTurn,
	})
	t.Cleanup(func() { r.Stop(context.WithoutCancel(t.Context())) })
	return r
}

func (r *buildRig) takeTurn(ctx context.Context, _ string, onWait func()) (func(), error) {
	select {
	case <-r.turn:
	default:
		onWait()
		select {
		case <-r.turn:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return func() { r.turn <- struct{}{} }, nil
}

// pushed receives a push and commits it, if it stands.
func (r *buildRig) pushed(ctx context.Context, progress io.Writer, options ...string) error {
	return r.pushedTree(ctx, fstest.MapFS{"index.html": {Data: []byte("hi")}, "Procfile": {Data: []byte("web: serve\n")}}, progress, options...)
}

func (r *buildRig) pushedTree(ctx context.Context, tree fs.FS, progress io.Writer, options ...string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	commit, err := r.Receive(ctx, &gitserver.Push{
		ID: "P1", Repo: "shop", User: "ann", Options: options,
		Commands: []gitserver.Command{{Ref: "refs/heads/main", New: plumbing.NewHash(strings.Repeat("ab", 20))}},
		Tree:     func(plumbing.Hash) (fs.FS, error) { return tree, nil },
	}, progress)
	if err != nil || commit == nil {
		return err
	}
	return commit(context.WithoutCancel(ctx))
}

// last is the newest record.
func (r *buildRig) last() state.Build {
	r.builds.mu.Lock()
	defer r.builds.mu.Unlock()
	if len(r.builds.all) == 0 {
		return state.Build{}
	}
	return r.builds.all[len(r.builds.all)-1]
}

// printed is an output, which is read until it ends.
func (r *buildRig) printed(t *testing.T, name string) string {
	t.Helper()
	var all strings.Builder
	for chunk, err := range r.outputs.Follow(t.Context(), "shop", name, 0) {
		if err != nil {
			t.Fatalf("output %s: %v", name, err)
		}
		all.Write(chunk)
	}
	return all.String()
}

func TestPushIsRecorded(t *testing.T) {
	r := newBuildRig(t)
	var seen bytes.Buffer
	if err := r.pushed(t.Context(), &seen); err != nil {
		t.Fatalf("push: %v\n%s", err, seen.String())
	}
	b := r.last()
	if b.Status != state.BuildSucceeded || b.Release != 1 || !strings.HasPrefix(b.Slug, "sha256:") || b.User != "ann" ||
		b.Ref != "refs/heads/main" || b.Source != "git" {
		t.Errorf("the build is recorded as %+v, want a success with v1 and its slug", b)
	}
	if got := r.printed(t, b.ID); got != seen.String() || !strings.Contains(got, "Released v1") {
		t.Errorf("the output is kept as\n%s\nwant what the pusher sees:\n%s", got, seen.String())
	}
	if got := r.printed(t, "v1"); got != "migrating\n" {
		t.Errorf("the output of v1's command is %q, want what it printed alone", got)
	}
}

func TestWhatIsNotBuiltIsNotRecorded(t *testing.T) {
	r := newBuildRig(t)
	if err := r.pushed(t.Context(), io.Discard, "detect"); err == nil {
		t.Error("a push with -o detect stands")
	}
	if b := r.last(); b.ID != "" {
		t.Errorf("a push with -o detect is recorded as %+v", b)
	}
}

func TestPushStandsWithoutItsRecord(t *testing.T) {
	r := newBuildRig(t)
	r.builds.refuse = errors.New("the disk is full")
	if err := r.pushed(t.Context(), io.Discard); err != nil {
		t.Errorf("push: %v", err)
	}
	if len(r.releases.all) != 1 {
		t.Errorf("there are %d releases, want 1", len(r.releases.all))
	}
}

func TestRejectedPushIsRecordedAsFailed(t *testing.T) {
	for name, breaks := range map[string]func(r *buildRig){
		"that does not build": func(r *buildRig) {
			r.builder.run = func(context.Context, build.Request) error { return &build.Error{Text: "no"} }
		},
		"whose command fails": func(r *buildRig) { r.dynos.exit = dyno.Exit{Code: 1} },
		"that the builder breaks": func(r *buildRig) {
			r.builder.run = func(context.Context, build.Request) error { return errors.New("odd") }
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newBuildRig(t)
			breaks(r)
			if err := r.pushed(t.Context(), io.Discard); err == nil {
				t.Error("the push stands")
			}
			b := r.last()
			if b.Status != state.BuildFailed || b.Release != 0 {
				t.Errorf("the build is recorded as %+v, want a failure", b)
			}
			if got := r.printed(t, b.ID); !strings.Contains(got, "Push rejected") {
				t.Errorf("the output is kept as\n%s\nwant that it was rejected", got)
			}
			if r.outputs.Exists("shop", "v1") {
				t.Error("the output of a release is kept that there is not")
			}
		})
	}
}

func TestBuildIsCancelled(t *testing.T) {
	r := newBuildRig(t)
	began := make(chan struct{})
	r.builder.run = func(ctx context.Context, _ build.Request) error {
		close(began)
		<-ctx.Done()
		return build.ErrCanceled
	}
	pushed := make(chan error)
	var seen bytes.Buffer
	go func() { pushed <- r.pushed(t.Context(), &seen) }()
	<-began
	b, err := r.CancelBuild(t.Context(), state.Actor{User: "bob"}, "shop", r.last().ID)
	if err != nil || b.Status != state.BuildFailed {
		t.Errorf("CancelBuild = %+v, %v; want a failure", b, err)
	}
	if err := <-pushed; err == nil || !strings.Contains(seen.String(), "Build cancelled by user bob: nothing was released.") {
		t.Errorf("the push ends with %v and\n%s", err, seen.String())
	}
	if got := r.printed(t, b.ID); !strings.Contains(got, "cancelled by user bob") {
		t.Errorf("the output is kept as\n%s", got)
	}
	if _, err := r.CancelBuild(t.Context(), ann, "shop", b.ID); !errors.Is(err, deploy.ErrBuildEnded) {
		t.Errorf("CancelBuild again: %v, want ErrBuildEnded", err)
	}
	if _, err := r.CancelBuild(t.Context(), ann, "shop", "none"); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("CancelBuild of none: %v, want ErrNotFound", err)
	}
}

func TestPusherWhoGoesLeavesAFailedBuild(t *testing.T) {
	for name, late := range map[string]bool{"while it builds": false, "before the refs are locked": true} {
		t.Run(name, func(t *testing.T) {
			r := newBuildRig(t)
			ctx, gone := context.WithCancel(t.Context())
			if !late {
				r.builder.run = func(ctx context.Context, _ build.Request) error {
					gone()
					<-ctx.Done()
					return build.ErrCanceled
				}
			}
			commit, err := r.Receive(ctx, &gitserver.Push{
				ID: "P1", Repo: "shop", User: "ann",
				Commands: []gitserver.Command{{Ref: "refs/heads/main", New: plumbing.NewHash(strings.Repeat("ab", 20))}},
				Tree:     func(plumbing.Hash) (fs.FS, error) { return fstest.MapFS{"index.html": {}}, nil },
			}, io.Discard)
			if (err == nil) != late {
				t.Fatalf("Receive: %v", err)
			}
			gone()
			r.printed(t, r.last().ID) // ends with the record
			if late {
				if err := commit(context.WithoutCancel(ctx)); err == nil {
					t.Error("a push whose build is recorded as failed is released")
				}
			}
			if b := r.last(); b.Status != state.BuildFailed || len(r.releases.all) != 0 {
				t.Errorf("the build is recorded as %+v with %d releases, want a failure with none", b, len(r.releases.all))
			}
		})
	}
}

// packed is a tarball as a build gets it.
func packed(t *testing.T, name, text string) deploy.Tarball {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	w := tar.NewWriter(zip)
	if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(text)), Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return deploy.Tarball{
		Address: "http://example.com/a.tgz", Version: "v1.3",
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(&out), nil },
	}
}

func TestTarballIsBuilt(t *testing.T) {
	r := newBuildRig(t)
	r.builder.run = func(_ context.Context, q build.Request) error {
		text, err := fs.ReadFile(q.Source, "index.html")
		if string(text) != "hello" {
			t.Errorf("the builder gets %q, %v", text, err)
		}
		return nil
	}
	b, err := r.BuildTarball(t.Context(), ann, "shop", packed(t, "index.html", "hello"))
	if err != nil || b.Status != state.BuildPending || b.Commit != "v1.3" || b.Source != "http://example.com/a.tgz" {
		t.Fatalf("BuildTarball = %+v, %v", b, err)
	}
	if got := r.printed(t, b.ID); !strings.Contains(got, "Fetching source... done.\n") || !strings.Contains(got, "Released v1") {
		t.Errorf("the output is\n%s", got)
	}
	b = r.last()
	if b.Status != state.BuildSucceeded || b.Release != 1 {
		t.Errorf("the build is recorded as %+v, want a success", b)
	}
	if rel := r.releases.all[0]; rel.Description != "Deploy v1.3" || rel.Commit != "" || rel.Ref != "" || rel.User != "ann" {
		t.Errorf("the release is %+v, want one without commit and ref", rel)
	}
}

func TestTarballThatCannotBeBuilt(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*deploy.Tarball)
		want   string
	}{
		"with another checksum": {func(t *deploy.Tarball) { t.Checksum = "SHA256:" + strings.Repeat("0", 64) }, " !     The source is not what its checksum says"},
		"that is nowhere": {func(t *deploy.Tarball) {
			t.Open = func(context.Context) (io.ReadCloser, error) {
				return nil, &sources.Error{Text: "the server answers with 404"}
			}
		}, " !     The server answers with 404."},
	} {
		t.Run(name, func(t *testing.T) {
			r := newBuildRig(t)
			tarball := packed(t, "index.html", "hello")
			c.change(&tarball)
			b, err := r.BuildTarball(t.Context(), ann, "shop", tarball)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.printed(t, b.ID); !strings.Contains(got, c.want) || r.last().Status != state.BuildFailed {
				t.Errorf("the build is %s with the output\n%s\nwant it failed with %q", r.last().Status, got, c.want)
			}
		})
	}
}

func TestTarballWaitsForItsTurn(t *testing.T) {
	r := newBuildRig(t)
	<-r.turn // a push has it
	waiting, err := r.BuildTarball(t.Context(), ann, "shop", packed(t, "index.html", "hello"))
	if err != nil {
		t.Fatal(err)
	}
	for chunk := range r.outputs.Follow(t.Context(), "shop", waiting.ID, 0) {
		if strings.Contains(string(chunk), "Waiting for another push to shop to finish") {
			break
		}
	}
	if b, err := r.CancelBuild(t.Context(), ann, "shop", waiting.ID); err != nil || b.Status != state.BuildFailed {
		t.Errorf("CancelBuild of one that waits = %+v, %v", b, err)
	}
	// Another is waiting when the server stops.
	late, err := r.BuildTarball(t.Context(), ann, "shop", packed(t, "index.html", "hello"))
	if err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	r.Stop(over)
	if got := r.printed(t, late.ID); !strings.Contains(got, "since the server stops") || r.last().Status != state.BuildFailed {
		t.Errorf("the build that the server's stop ended is %s with\n%s", r.last().Status, got)
	}
	if _, err := r.BuildTarball(t.Context(), ann, "shop", packed(t, "a", "b")); !errors.Is(err, deploy.ErrStopping) {
		t.Errorf("BuildTarball afterwards: %v, want ErrStopping", err)
	}
}
