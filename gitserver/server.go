package gitserver

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"go.uber.org/zap"
)

// Config configures a [Server]. Dir and Authorizer are required.
type Config struct {
	Dir        string     // bare repositories: Dir/NAME.git; made if missing
	HostKeyDir string     // SSH host keys live here; Dir/.ssh if empty
	Receiver   Receiver   // every push stands if nil
	Authorizer Authorizer // who may do what
	Agent      string     // what the server calls itself; "slipway/dev" if empty

	PushTimeout      time.Duration // one push, waiting and Receiver included; 30m if zero
	IdleTimeout      time.Duration // silence of a client that owes us data, or does not read; 1m if zero
	HandshakeTimeout time.Duration // SSH handshake and sign-in; 20s if zero
	Keepalive        time.Duration // a keepalive after this much silence of ours; 5s if zero

	MaxConnections int // SSH connections at once; 256 if zero
	MaxQueued      int // pushes that wait for one repository; 16 if zero
	MaxCommands    int // refs in one push; 1000 if zero
	MaxOptions     int // push options in one push, 1 KiB each; 64 if zero
	MaxWants       int // objects asked for, or offered, in one fetch; 100000 if zero

	Log *zap.Logger // nothing is logged if nil
}

// A Server serves the repositories of one directory. Its methods may be called
// by many goroutines at once.
type Server struct {
	cfg Config
	log *zap.Logger
}

// New returns a server. It makes Dir, and starts nothing.
func New(cfg Config) (*Server, error) {
	return &Server{cfg: cfg, log: cfg.Log}, nil
}

// HTTP returns the handler of /NAME.git/... and /NAME/..., as git asks for them.
func (s *Server) HTTP() http.Handler {
	return http.NotFoundHandler()
}

// MatchHTTP reports whether a request is one for [Server.HTTP].
func (s *Server) MatchHTTP(r *http.Request) bool {
	return false
}

// ServeSSH serves ln until ctx is done, and closes it. It returns after
// everything that it started has stopped; nil if ctx ended it.
func (s *Server) ServeSSH(ctx context.Context, ln net.Listener) error {
	return errors.ErrUnsupported
}

// Recover removes what a killed server left in the repositories. It must be
// called before anything is served.
func (s *Server) Recover(ctx context.Context) error {
	return errors.ErrUnsupported
}

// FinishRef completes a push that a crash interrupted between its [CommitFunc]
// and the move of its refs: a ref at old goes to newHash, one that is there
// stays, and any other is [ErrConflict].
func (s *Server) FinishRef(ctx context.Context, repo, ref string, old, newHash plumbing.Hash) error {
	return errors.ErrUnsupported
}

// RepositoryExists reports whether the repository is on disk.
func (s *Server) RepositoryExists(name string) bool {
	return false
}

// RemoveRepository deletes a repository, after the push that it may be
// receiving. One that does not exist is no error.
func (s *Server) RemoveRepository(ctx context.Context, name string) error {
	return errors.ErrUnsupported
}
