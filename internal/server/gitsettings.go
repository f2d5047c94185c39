package server

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"slipway/gitserver"
	"slipway/gitserver/repo"
)

// gitSettings are the limits of the git server.
type gitSettings struct {
	// of one push
	MaxPack     string
	MaxObject   string
	MaxHeld     string
	MaxInflated string
	MaxRatio    int64
	MaxObjects  int64
	MaxDepth    int
	MaxRefs     int
	MaxOptions  int

	// of all of them
	HideRefs         []string
	PushTimeout      time.Duration
	MaxQueued        int
	Memory           string
	IdleTimeout      time.Duration
	MinRate          string
	HandshakeTimeout time.Duration
	MaxConnections   int
	MaxRequests      int
	MaxPerAddress    int
	MaxFailures      int
}

// registerPush declares the limits of one push.
func (g *gitSettings) registerPush(f *pflag.FlagSet) {
	f.StringVar(&g.MaxPack, "max-pack", "2GiB", "largest pack in a push")
	f.StringVar(&g.MaxObject, "max-object", "512MiB", "largest object in a push, inflated")
	f.StringVar(&g.MaxHeld, "max-held", "128MiB", "largest object that is held in memory: commits, trees, tags, and what deltas are made of and make")
	f.StringVar(&g.MaxInflated, "max-inflated", "64GiB", "most that the objects of a push may inflate to")
	f.Int64Var(&g.MaxRatio, "max-ratio", 10_000, "most times its own size that a pack may inflate to, once that is more than 1 GiB")
	f.Int64Var(&g.MaxObjects, "max-objects", 10_000_000, "most objects in a push")
	f.IntVar(&g.MaxDepth, "max-depth", 4095, "longest chain of deltas in a push")
	f.IntVar(&g.MaxRefs, "max-refs", 1000, "most refs in a push")
	f.IntVar(&g.MaxOptions, "max-options", 64, "most push options (git push -o)")
}

// register declares all of them.
func (g *gitSettings) register(f *pflag.FlagSet) {
	g.registerPush(f)
	f.StringArrayVar(&g.HideRefs, "hide-ref", nil, "prefix of refs that nobody sees, fetches or pushes to; !PREFIX shows some again (repeatable)")
	f.DurationVar(&g.PushTimeout, "push-timeout", 30*time.Minute, "longest push, waiting and build included")
	f.IntVar(&g.MaxQueued, "max-queued", 16, "pushes that wait for one app at once")
	f.StringVar(&g.Memory, "git-memory", "512MiB", "memory that pushes and fetches share; only one of them may go beyond it")
	f.DurationVar(&g.IdleTimeout, "git-idle-timeout", 5*time.Minute, "how long a git client may keep the server waiting")
	f.StringVar(&g.MinRate, "git-min-rate", "1KiB", "what a git client must send or read in a second, on average, to go on for longer than --git-idle-timeout")
	f.DurationVar(&g.HandshakeTimeout, "ssh-handshake-timeout", 20*time.Second, "how long an SSH client may take to sign in")
	f.IntVar(&g.MaxConnections, "ssh-connections", 256, "SSH connections at once")
	f.IntVar(&g.MaxRequests, "git-requests", 256, "git requests over HTTP at once")
	f.IntVar(&g.MaxPerAddress, "git-per-address", 64, "SSH connections, and git requests over HTTP, from one address at once")
	f.IntVar(&g.MaxFailures, "max-failed-sign-ins", 20, "failed sign-ins from one address in a minute, of git, registry and API; then new ones have to wait")
}

// check refuses numbers that mean nothing. Sizes are looked at by config.
func (g *gitSettings) check() error {
	var errs []error
	for _, c := range []struct {
		setting string
		value   int64
		used    bool
	}{
		{"max-ratio", g.MaxRatio, true},
		{"max-objects", g.MaxObjects, true},
		{"max-depth", int64(g.MaxDepth), true},
		{"max-refs", int64(g.MaxRefs), true},
		{"max-options", int64(g.MaxOptions), true},
		{"push-timeout", int64(g.PushTimeout), g.serves()},
		{"max-queued", int64(g.MaxQueued), g.serves()},
		{"git-idle-timeout", int64(g.IdleTimeout), g.serves()},
		{"ssh-handshake-timeout", int64(g.HandshakeTimeout), g.serves()},
		{"ssh-connections", int64(g.MaxConnections), g.serves()},
		{"git-requests", int64(g.MaxRequests), g.serves()},
		{"git-per-address", int64(g.MaxPerAddress), g.serves()},
		{"max-failed-sign-ins", int64(g.MaxFailures), g.serves()},
	} {
		if c.used && c.value <= 0 {
			errs = append(errs, fmt.Errorf("--%s: it must be more than 0", c.setting))
		}
	}
	return errors.Join(errs...)
}

// serves reports whether the settings are those of a server, and not of one push.
func (g *gitSettings) serves() bool { return g.Memory != "" }

// config is what the settings say to the git server.
func (g *gitSettings) config() (gitserver.Config, error) {
	var errs []error
	size := func(setting, text string) int64 {
		n, err := bytesOf(setting, text)
		if err == nil && n <= 0 {
			err = fmt.Errorf("--%s: it must be more than 0", setting)
		}
		errs = append(errs, err)
		return n
	}
	cfg := gitserver.Config{
		Repo: repo.Options{
			MaxPackBytes: size("max-pack", g.MaxPack), MaxObjectSize: size("max-object", g.MaxObject),
			MaxHeldSize: size("max-held", g.MaxHeld), MaxInflated: size("max-inflated", g.MaxInflated),
			MaxInflateRatio: g.MaxRatio, MaxObjects: g.MaxObjects, MaxDeltaDepth: g.MaxDepth,
		},
		MaxCommands: g.MaxRefs, MaxOptions: g.MaxOptions,
	}
	if g.serves() {
		cfg.MemoryBudget, cfg.MinRate = size("git-memory", g.Memory), size("git-min-rate", g.MinRate)
		cfg.HiddenRefs, cfg.PushTimeout, cfg.IdleTimeout, cfg.HandshakeTimeout = g.HideRefs, g.PushTimeout, g.IdleTimeout, g.HandshakeTimeout
		cfg.MaxQueued, cfg.MaxConnections, cfg.MaxRequests = g.MaxQueued, g.MaxConnections, g.MaxRequests
		cfg.MaxPerAddress, cfg.MaxFailures = g.MaxPerAddress, g.MaxFailures
	}
	return cfg, errors.Join(errs...)
}
