package deploy

import (
	"context"

	"github.com/go-git/go-git/v5/plumbing"
	"go.uber.org/zap"

	"slipway/buildpacks/build"
	"slipway/internal/state"
	"slipway/slugs"
)

// Releases is where releases are recorded.
type Releases interface {
	Apps(ctx context.Context) ([]state.App, error)
	AddRelease(ctx context.Context, by state.Actor, rel state.Release, after int) (state.Release, error)
	Releases(ctx context.Context, app string, limit int) ([]state.Release, error)
	ReleaseOf(ctx context.Context, app, commit string) (state.Release, error)
	DeleteApp(ctx context.Context, by state.Actor, app string) error
}

// Builder turns a tree into an image in the registry.
type Builder interface {
	Build(ctx context.Context, r build.Request) (*build.Result, error)
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
	Releases Releases
	Builder  Builder
	Slugs    *slugs.Registry
	Registry string                       // HOST:PORT under which builds know the registry
	Image    func(app, tag string) string // the name under which people pull a slug
	Stack    string                       // what the builder calls its base, for the transcript
	Log      *zap.Logger                  // nothing is logged if nil
}

// A Deployer takes pushes to releases. Its methods may be called at once for
// different apps; the gitserver calls Receive once at a time for one app.
type Deployer struct {
	cfg Config
	log *zap.Logger
}

// New returns a Deployer. It starts nothing.
func New(cfg Config) *Deployer {
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	return &Deployer{cfg: cfg, log: cfg.Log.Named("deploy")}
}
