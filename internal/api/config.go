package api

import (
	"context"
	"io"
	"iter"
	"time"

	"go.uber.org/zap"

	"slipway/internal/dyno"
	"slipway/internal/logs"
	"slipway/internal/state"
)

// Apps is what the API reads of the state.
type Apps interface {
	CreateApp(ctx context.Context, by state.Actor, app state.App) (state.App, error)
	App(ctx context.Context, name string) (state.App, error)
	AppByID(ctx context.Context, id string) (state.App, error)
	// AppsPage lists apps that a user owns or collaborates on, all if user is "".
	AppsPage(ctx context.Context, user string, p state.Page) ([]state.App, error)
	Releases(ctx context.Context, app string, limit int) ([]state.Release, error)
	Release(ctx context.Context, app string, version int) (state.Release, error)
}

// Keys is where the API keeps SSH keys.
type Keys interface {
	AddKey(ctx context.Context, by state.Actor, key state.Key) error
	Keys(ctx context.Context, user string) ([]state.Key, error)
	DeleteKey(ctx context.Context, by state.Actor, user, fingerprint string) error
}

// Accounts is where the API keeps who may sign in.
type Accounts interface {
	AddAccount(ctx context.Context, by state.Actor, email string, admin bool) (state.Account, error)
	Accounts(ctx context.Context) ([]state.Account, error)
	AccountOf(ctx context.Context, email string) (state.Account, error)
	AccountByID(ctx context.Context, id string) (state.Account, error)
	IsAdmin(ctx context.Context, user string) (bool, error)
	DeleteAccount(ctx context.Context, by state.Actor, email string) error
}

// Tokens is where the API keeps what signs users in.
type Tokens interface {
	AddToken(ctx context.Context, by state.Actor, t state.Token) (state.Token, error)
	Tokens(ctx context.Context, user string) ([]state.Token, error)
	SaveToken(ctx context.Context, by state.Actor, t state.Token) error
	DeleteToken(ctx context.Context, by state.Actor, user, id string) error
}

// Collaborators is where the API keeps who may use somebody else's app.
type Collaborators interface {
	AddCollaborator(ctx context.Context, by state.Actor, app, user string) (state.Collaborator, error)
	Collaborators(ctx context.Context, app string) ([]state.Collaborator, error)
	DeleteCollaborator(ctx context.Context, by state.Actor, app, user string) error
}

// Dynos is what runs the apps.
type Dynos interface {
	List(app string) []dyno.Dyno
	// Restart and Stop take "web.1", or "web" for all of a type; Restart takes
	// "" for all. They fail with [dyno.ErrNotFound].
	Restart(ctx context.Context, by state.Actor, app, name string) error
	Stop(ctx context.Context, by state.Actor, app, name string) error
	CreateOneOff(ctx context.Context, by state.Actor, app string, o dyno.OneOff) (dyno.Dyno, error)
	// Attach returns when the dyno has ended. When ctx is done, it stops the dyno.
	Attach(ctx context.Context, app, name string, t dyno.Terminal) (dyno.Exit, error)
	Quota(ctx context.Context, app string) (dyno.Quota, error)
}

// Deploys makes releases without a push, and scales. What it is told not to do
// comes back as an error whose words are shown, [state.ErrInvalid] say.
type Deploys interface {
	// SetConfig makes a release with changed config vars; a nil value removes
	// one. It may take minutes, as a release's own command does.
	SetConfig(ctx context.Context, by state.Actor, app string, changes map[string]*string) (state.Release, error)
	Rollback(ctx context.Context, by state.Actor, app string, version int) (state.Release, error)
	// Reuse makes a release with the slug and process types of an old one, and
	// config vars as they are now.
	Reuse(ctx context.Context, by state.Actor, app string, version int, description string) (state.Release, error)
	Scale(ctx context.Context, by state.Actor, app string, f []state.Formation) error
	SetMaintenance(ctx context.Context, by state.Actor, app string, on bool) error
}

// Logs is the log of each app. A line with an error is the last one.
type Logs interface {
	Tail(ctx context.Context, app string, o logs.Options) iter.Seq2[logs.Line, error]
}

// Settings is what the state keeps of an app beside its releases.
type Settings interface {
	Formation(ctx context.Context, app string) ([]state.Formation, error)
	SetIdle(ctx context.Context, by state.Actor, app string, d time.Duration) error
	Audits(ctx context.Context, app string, limit int) ([]state.Audit, error)
}

// Domains is where the API keeps host names.
type Domains interface {
	AddDomain(ctx context.Context, by state.Actor, d state.Domain) (state.Domain, error)
	Domains(ctx context.Context, app string) ([]state.Domain, error)
	DeleteDomain(ctx context.Context, by state.Actor, app, hostname string) error
}

// Certs is where the API keeps certificates.
type Certs interface {
	AddCert(ctx context.Context, by state.Actor, c state.Cert) (state.Cert, error)
	Certs(ctx context.Context, app string) ([]state.Cert, error)
	// ReplaceCert puts a chain and a key in the place of those with the same ID.
	ReplaceCert(ctx context.Context, by state.Actor, c state.Cert) error
	DeleteCert(ctx context.Context, by state.Actor, app, id string) error
}

// Drains is where the API keeps log drains.
type Drains interface {
	AddDrain(ctx context.Context, by state.Actor, d state.Drain) (state.Drain, error)
	Drains(ctx context.Context, app string) ([]state.Drain, error)
	DeleteDrain(ctx context.Context, by state.Actor, app, idOrURL string) error
}

// Config configures the API.
type Config struct {
	// These are required.
	Apps Apps
	Keys Keys
	// Destroy removes an app with all that belongs to it.
	Destroy func(ctx context.Context, by state.Actor, app string) error
	// SignIn returns the user that a token stands for, or an error.
	SignIn func(ctx context.Context, token string) (user string, err error)
	// GitURL, WebURL and ImageName say where an app's parts are reached.
	GitURL    func(app string) string
	WebURL    func(app string) string
	ImageName func(app string, rel state.Release) string
	// RepoSize measures an app's repository, in bytes; nobody knows if nil.
	RepoSize func(ctx context.Context, app string) (int64, error)

	// The addresses of a part that is nil answer that it is not there.
	Dynos    Dynos
	Deploys  Deploys
	Logs     Logs
	Settings Settings
	Domains  Domains
	Certs    Certs
	Drains   Drains
	// Buildpacks are those that apps were set to use.
	Buildpacks Buildpacks
	// CheckBuildpacks returns names of buildpacks as they are stored, or
	// [state.ErrInvalid] in words. All are taken, if it is nil.
	CheckBuildpacks func(names []string) ([]string, error)
	// Builds and outputs go together; building and sources, with Fetch, need them.
	Builds   Builds
	Outputs  Outputs
	Building Building
	Sources  Sources
	// Fetch reads a tarball from an address of others.
	Fetch func(ctx context.Context, address string) (io.ReadCloser, error)
	// CheckCert says what a certificate is for and until when, or in words why
	// it cannot be used with the key. Certificates need it.
	CheckCert func(chain, key string) (hostnames []string, notAfter time.Time, err error)

	// Accounts, tokens and collaborators go together.
	Accounts      Accounts
	Tokens        Tokens
	Collaborators Collaborators
	// MayUse returns nil if a user may use an app, else [state.ErrForbidden] in
	// words. All may use all, if it is nil.
	MayUse func(ctx context.Context, user, app string) error
	// Domain is what stands behind the @ of users that have no email; localhost
	// if empty.
	Domain string

	// Stack is what apps are built and run on; Slipway-Debian13 if empty.
	Stack string
	// ACM says that certificates for the apps' host names come by themselves.
	ACM bool
	// DynoCPUs and DynoMemory, in bytes, are what a dyno may use.
	DynoCPUs   float64
	DynoMemory int64

	// APIRate is how many requests each user may make in an hour; no limit if 0.
	APIRate int
	// Changed is called after an app's domains, certificates, drains or idle
	// time-out have changed; nobody is told if nil.
	Changed func(app string)
	// URL is where clients reach this server, "https://example.com"; what each
	// request named if empty.
	URL string
	// Rendezvous says that TLS connections to where clients reach this server come
	// to [Handler.Rendezvous]. Clients are told so where they attach to dynos.
	Rendezvous bool
	// Stopping is closed when the server stops: log streams then end, which
	// would last for ever. They end with their requests only, if it is nil.
	Stopping <-chan struct{}
	Log      *zap.Logger // nothing is logged if nil
}
