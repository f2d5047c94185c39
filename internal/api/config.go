package api

import (
	"context"
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
	Apps(ctx context.Context) ([]state.App, error)
	Releases(ctx context.Context, app string, limit int) ([]state.Release, error)
	Release(ctx context.Context, app string, version int) (state.Release, error)
}

// Keys is where the API keeps SSH keys.
type Keys interface {
	AddKey(ctx context.Context, by state.Actor, key state.Key) error
	Keys(ctx context.Context) ([]state.Key, error)
	DeleteKey(ctx context.Context, by state.Actor, fingerprint string) error
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
	Scale(ctx context.Context, by state.Actor, app string, f []state.Formation) error
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

	// The addresses of a part that is nil answer that it is not there.
	Dynos    Dynos
	Deploys  Deploys
	Logs     Logs
	Settings Settings
	Domains  Domains
	Certs    Certs
	Drains   Drains
	// CheckCert says what a certificate is for and until when, or in words why
	// it cannot be used with the key. Certificates need it.
	CheckCert func(chain, key string) (hostnames []string, notAfter time.Time, err error)

	// Changed is called after an app's domains, certificates, drains or idle
	// time-out have changed; nobody is told if nil.
	Changed func(app string)
	// URL is where clients reach this server, "https://example.com"; what each
	// request named if empty.
	URL string
	// Stopping is closed when the server stops: log streams then end, which
	// would last for ever. They end with their requests only, if it is nil.
	Stopping <-chan struct{}
	Log      *zap.Logger // nothing is logged if nil
}
