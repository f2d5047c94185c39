package gitserver

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"slipway/gitserver/repo"
)

// Config configures a [Server]. Dir and Authorizer are required. Where a limit
// or a time has a default, zero stands for it and a negative one for none.
type Config struct {
	Dir        string     // bare repositories: Dir/NAME.git; made if missing
	HostKeyDir string     // SSH host keys live here, made by the first ServeSSH; Dir/.ssh if empty
	Receiver   Receiver   // every push stands if nil
	Authorizer Authorizer // who may do what
	Agent      string     // what the server calls itself; "slipway/dev" if empty

	// Branches that HEAD may point to. While the branch that it points to does
	// not exist, it goes to the first of these that does; main and master if nil.
	Branches []string

	// HiddenRefs are prefixes of refs that nobody sees, fetches or pushes to, as
	// git's transfer.hideRefs: "refs/internal" hides it and all below, a later
	// "!refs/internal/shown" shows that again. What only they lead to cannot be
	// fetched by its commits' names.
	HiddenRefs []string

	Repo repo.Options // limits of packs and objects

	PushTimeout      time.Duration // one push, waiting and Receiver included; 30m if zero
	IdleTimeout      time.Duration // silence of a client that owes us data, or does not read; 5m if zero
	MinRate          int64         // bytes a second that a client must send or read once it has used up IdleTimeout; 1 KiB if zero
	HandshakeTimeout time.Duration // SSH handshake and sign-in; 20s if zero
	StopTimeout      time.Duration // how long SSH sessions may go on once ServeSSH is told to end; not at all if zero
	Keepalive        time.Duration // a keepalive after this much silence of ours; 5s if zero, none if negative

	MaxConnections int   // SSH connections at once; 256 if zero
	MaxRequests    int   // HTTP requests at once; 256 if zero
	MaxPerAddress  int   // of either, from one IP address or IPv6 /64, which may be a proxy's; 64 if zero
	MaxFailures    int   // failed sign-ins from one address, of either kind, at once and then a minute; 20 if zero
	MaxQueued      int   // pushes that wait for one repository; 16 if zero
	MaxCommands    int   // refs in one push; 1000 if zero
	MaxOptions     int   // push options in one push, 1 KiB each; 64 if zero
	MaxWants       int   // lines of one fetch: objects asked for or offered; 100000 if zero
	MemoryBudget   int64 // that pushes and fetches hold together, but for one of them; 512 MiB if zero
	MaxRequest     int64 // bytes of one HTTP request, inflated; 64 MiB more than Repo.MaxPackBytes if zero

	SweepAfter time.Duration // RunUpkeep removes objects that no ref has led to for so long; 14 days if zero, none if negative
	UpkeepRate int64         // bytes a second that RunUpkeep writes; 64 MiB if zero, no bound if negative

	Log *zap.Logger // nothing is logged if nil
}

func (c Config) withDefaults() Config {
	c.Repo = c.Repo.WithDefaults()
	c.HostKeyDir = cmp.Or(c.HostKeyDir, filepath.Join(c.Dir, ".ssh"))
	c.Agent = cmp.Or(c.Agent, "slipway/dev")
	setLimit(&c.PushTimeout, 30*time.Minute, forever)
	setLimit(&c.IdleTimeout, 5*time.Minute, forever)
	setLimit(&c.MinRate, 1<<10, 1)
	setLimit(&c.HandshakeTimeout, 20*time.Second, forever)
	c.Keepalive = cmp.Or(c.Keepalive, 5*time.Second)
	setLimit(&c.MaxConnections, 256, unlimited)
	setLimit(&c.MaxRequests, 256, unlimited)
	setLimit(&c.MaxPerAddress, 64, unlimited)
	setLimit(&c.MaxFailures, 20, unlimited)
	setLimit(&c.MaxQueued, 16, unlimited)
	setLimit(&c.MaxCommands, 1000, unlimited)
	setLimit(&c.MaxOptions, 64, unlimited)
	setLimit(&c.MaxWants, 100_000, unlimited)
	request := int64(endless)
	if c.Repo.MaxPackBytes >= 0 {
		request = c.Repo.MaxPackBytes + requestRoom
	}
	setLimit(&c.MaxRequest, request, endless)
	setLimit(&c.MemoryBudget, 512<<20, -1)
	c.SweepAfter = cmp.Or(c.SweepAfter, repo.DefaultSweepAfter)
	c.UpkeepRate = cmp.Or(c.UpkeepRate, 64<<20)
	if c.Branches == nil {
		c.Branches = []string{"main", "master"}
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	return c
}

const (
	forever   = 100 * 365 * 24 * time.Hour
	unlimited = 1 << 24 // of things that are counted; multiplied, it does not overflow
	endless   = 1 << 62 // of bytes

	memoryPatience = time.Minute // for others to give memory back

	requestRoom = 64 << 20 // for what comes before a pack
)

// setLimit puts in a default for zero, and for a negative limit one that is
// never reached.
func setLimit[T int | int64 | time.Duration](limit *T, usual, none T) {
	switch {
	case *limit == 0:
		*limit = usual
	case *limit < 0:
		*limit = none
	}
}

// A Server serves the repositories of one directory. Its methods may be called
// by many goroutines at once.
type Server struct {
	cfg      Config
	log      *zap.Logger
	queue    *queue
	requests *gate // HTTP
	conns    *gate // SSH
	signIns  *signIns
	pushed   *pushedSet
	upkept   upkeepCounter
}

// New returns a server. It makes Dir, and starts nothing.
func New(cfg Config) (*Server, error) {
	if cfg.Dir == "" {
		return nil, errors.New("gitserver: Config.Dir is required")
	}
	if cfg.Authorizer == nil {
		return nil, errors.New("gitserver: Config.Authorizer is required")
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make directory of repositories: %w", err)
	}
	return newServer(cfg), nil
}

func newServer(cfg Config) *Server {
	cfg = cfg.withDefaults()
	if cfg.Repo.Budget == nil && cfg.MemoryBudget > 0 {
		cfg.Repo.Budget = repo.NewBudget(cfg.MemoryBudget, memoryPatience)
	}
	return &Server{
		cfg: cfg, log: cfg.Log.Named("gitserver"), queue: newQueue(cfg.MaxQueued),
		requests: newGate(cfg.MaxRequests, cfg.MaxPerAddress), conns: newGate(cfg.MaxConnections, cfg.MaxPerAddress),
		signIns: newSignIns(cfg.MaxFailures), pushed: newPushedSet(),
	}
}
