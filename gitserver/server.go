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

// Config configures a [Server]. Dir and Authorizer are required.
type Config struct {
	Dir        string     // bare repositories: Dir/NAME.git; made if missing
	HostKeyDir string     // SSH host keys live here, made by the first ServeSSH; Dir/.ssh if empty
	Receiver   Receiver   // every push stands if nil
	Authorizer Authorizer // who may do what
	Agent      string     // what the server calls itself; "slipway/dev" if empty

	// Branches that HEAD may point to. While the branch that it points to does
	// not exist, it goes to the first of these that does; main and master if nil.
	Branches []string

	Repo repo.Options // limits of packs and objects

	PushTimeout      time.Duration // one push, waiting and Receiver included; 30m if zero
	IdleTimeout      time.Duration // silence of a client that owes us data, or does not read; 5m if zero
	HandshakeTimeout time.Duration // SSH handshake and sign-in; 20s if zero
	StopTimeout      time.Duration // how long SSH sessions may go on once ServeSSH is told to end; not at all if zero
	Keepalive        time.Duration // a keepalive after this much silence of ours; 5s if zero, none if negative

	MaxConnections int   // SSH connections at once; 256 if zero
	MaxQueued      int   // pushes that wait for one repository; 16 if zero
	MaxCommands    int   // refs in one push; 1000 if zero
	MaxOptions     int   // push options in one push, 1 KiB each; 64 if zero
	MaxWants       int   // lines of one fetch: objects asked for or offered; 100000 if zero
	MaxRequest     int64 // bytes of one HTTP request, inflated; 4 GiB if zero

	Log *zap.Logger // nothing is logged if nil
}

func (c Config) withDefaults() Config {
	c.HostKeyDir = cmp.Or(c.HostKeyDir, filepath.Join(c.Dir, ".ssh"))
	c.Agent = cmp.Or(c.Agent, "slipway/dev")
	c.PushTimeout = cmp.Or(c.PushTimeout, 30*time.Minute)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, 5*time.Minute)
	c.HandshakeTimeout = cmp.Or(c.HandshakeTimeout, 20*time.Second)
	c.Keepalive = cmp.Or(c.Keepalive, 5*time.Second)
	c.MaxConnections = cmp.Or(c.MaxConnections, 256)
	c.MaxQueued = cmp.Or(c.MaxQueued, 16)
	c.MaxCommands = cmp.Or(c.MaxCommands, 1000)
	c.MaxOptions = cmp.Or(c.MaxOptions, 64)
	c.MaxWants = cmp.Or(c.MaxWants, 100_000)
	c.MaxRequest = cmp.Or(c.MaxRequest, 4<<30)
	if c.Branches == nil {
		c.Branches = []string{"main", "master"}
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	return c
}

// A Server serves the repositories of one directory. Its methods may be called
// by many goroutines at once.
type Server struct {
	cfg   Config
	log   *zap.Logger
	queue *queue
}

// New returns a server. It makes Dir, and starts nothing.
func New(cfg Config) (*Server, error) {
	if cfg.Dir == "" {
		return nil, errors.New("gitserver: Config.Dir is required")
	}
	if cfg.Authorizer == nil {
		return nil, errors.New("gitserver: Config.Authorizer is required")
	}
	cfg = cfg.withDefaults()
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make directory of repositories: %w", err)
	}
	return &Server{cfg: cfg, log: cfg.Log.Named("gitserver"), queue: newQueue(cfg.MaxQueued)}, nil
}
