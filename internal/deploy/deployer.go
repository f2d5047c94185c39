package deploy

import (
	"context"
	"io"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"go.uber.org/zap"

	"slipway/buildpacks/build"
	"slipway/buildpacks/detector"
	"slipway/internal/dyno"
	"slipway/internal/logs"
	"slipway/internal/namelock"
	"slipway/internal/outputs"
	"slipway/internal/sources"
	"slipway/internal/state"
	"slipway/slugs"
)

// Releases is where releases are recorded.
type Releases interface {
	Apps(ctx context.Context) ([]state.App, error)
	AddRelease(ctx context.Context, by state.Actor, rel state.Release, after int) (state.Release, error)
	Releases(ctx context.Context, app string, limit int) ([]state.Release, error)
	ReleaseOf(ctx context.Context, app, commit string) (state.Release, error)
	Release(ctx context.Context, app string, version int) (state.Release, error)
	DeleteApp(ctx context.Context, by state.Actor, app string) error
}

// Builds is where builds are recorded.
type Builds interface {
	AddBuild(ctx context.Context, by state.Actor, b state.Build) (state.Build, error)
	EndBuild(ctx context.Context, id, status, slug string, release int) error
	Build(ctx context.Context, app, id string) (state.Build, error)
	SettleBuilds(ctx context.Context) error
}

// Formations is where it is recorded how many dynos are wanted, and whether
// requests get to them.
type Formations interface {
	SetMaintenance(ctx context.Context, by state.Actor, app string, on bool) error
	SetFormation(ctx context.Context, by state.Actor, app string, formation []state.Formation) error
}

// Dynos runs what was released.
type Dynos interface {
	// RunRelease runs the release phase of a release that is not recorded yet.
	RunRelease(ctx context.Context, rel state.Release, out io.Writer) (dyno.Exit, error)
	// Released tells that an app has a new release or formation.
	Released(app string)
	// Maintain tells that an app's maintenance mode was turned on or off.
	Maintain(app string, on bool)
	// Removed ends the dynos of an app that is gone.
	Removed(ctx context.Context, app string) error
}

// Logs keeps the apps' logs.
type Logs interface {
	Append(app string, lines ...logs.Line)
	Writer(app, source, dyno string) io.WriteCloser
	Remove(app string) error
}

// Builder turns a tree into an image in the registry.
type Builder interface {
	Build(ctx context.Context, r build.Request) (*build.Result, error)
	Detect(ctx context.Context, r build.Detection) (*detector.Report, error)
	PythonVersions() []string
	ForgetCache(ctx context.Context, app string) error
}

// Repositories are the git repositories, as far as a deployment changes them
// outside a push.
type Repositories interface {
	FinishRef(ctx context.Context, repo, ref string, old, newHash plumbing.Hash) error
	RepositoryExists(name string) bool
	RemoveRepository(ctx context.Context, name string) error
}

// Config configures a [Deployer]. All fields but Log are required.
type Config struct {
	Releases   Releases
	Builds     Builds
	Buildpacks Buildpacks
	Outputs    *outputs.Store // what builds and release commands print
	Formations Formations
	Builder    Builder
	// BuilderName is the builder of pushes that name none; the bundled one if "".
	BuilderName string
	Slugs       *slugs.Registry
	Dynos       Dynos
	Logs        Logs
	Registry    string                       // HOST:PORT under which builds know the registry
	Image       func(app, tag string) string // the name under which people pull a slug
	WebURL      func(app string) string      // where people find an app
	Stack       string                       // what the builder calls its base, for the transcript
	Source      sources.Limits               // of a tarball
	// TakeTurn waits for the pushes to an app, and keeps later ones waiting until
	// leave is called.
	TakeTurn func(ctx context.Context, app string, onWait func()) (leave func(), err error)
	Log      *zap.Logger // nothing is logged if nil
}

// A Deployer takes pushes and tarballs to releases, and makes those of changed
// config vars and rollbacks. Its methods may be called at once; the gitserver
// calls Receive once at a time for one app.
type Deployer struct {
	cfg       Config
	log       *zap.Logger
	changing  namelock.Locks // held while config vars change or a rollback goes on
	recording namelock.Locks // held while a release is recorded

	tarballs sync.WaitGroup // of the builds that no push waits for

	mu       sync.Mutex
	building map[string]*record // builds that go on, by ID
	stopped  bool               // no build of a tarball begins any more
}

// New returns a Deployer. It starts nothing.
func New(cfg Config) *Deployer {
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	return &Deployer{cfg: cfg, log: cfg.Log.Named("deploy"), building: make(map[string]*record)}
}
