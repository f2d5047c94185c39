package dyno

import (
	"context"
	"net"
	"os"
)

// A Backend runs containers. All methods may be called concurrently.
type Backend interface {
	// Name is "embedded" or "docker".
	Name() string
	// Prepare fetches and unpacks a slug, so that Start is quick. It does
	// nothing where that was done.
	Prepare(ctx context.Context, slug Slug) error
	// Start runs a process, after Prepare where that was not called yet. It
	// returns when the process runs. The caller removes the container.
	Start(ctx context.Context, spec Spec, stdio Stdio) (Container, error)
	// Keep lets go of every slug that wanted does not want and no container
	// uses.
	Keep(ctx context.Context, wanted func(Slug) bool) error
	// Close removes every container, and what they lived in.
	Close() error
}

// A Container is a process tree with a network and a root file system of its
// own.
type Container interface {
	// Wait returns when every process has ended and all output was written,
	// or when ctx is done.
	Wait(ctx context.Context) (Exit, error)
	// Terminate asks the processes to end (SIGTERM).
	Terminate(ctx context.Context) error
	// Dial connects to a TCP port of the container. It fails at once if
	// nothing listens there.
	Dial(ctx context.Context, port uint16) (net.Conn, error)
	// Resize sets the size of the terminal, if there is one.
	Resize(ctx context.Context, size Size) error
	// Remove kills what still runs (SIGKILL) and takes everything away.
	// Removing twice is no error.
	Remove(ctx context.Context) error
}

// A Slug names an image in our registry.
type Slug struct {
	App    string // the repository
	Digest string // of the manifest, "sha256:…"
}

// A Spec says what to run.
type Spec struct {
	ID   string // unique among all containers: letters, digits and dashes
	App  string
	Name string // "web.1", also the container's host name where a backend can
	Slug Slug
	// Type is a process type of the slug, which is started by its own
	// entry point (/cnb/process/TYPE).
	Type string
	// Command is run instead by the launcher, in a shell, if Type is "".
	Command string
	Env     map[string]string // config vars, PORT and DYNO among them
	// TTY gives the process a terminal of this size; its output then comes
	// on Stdout alone.
	TTY  bool
	Size Size
}

// Size is that of a terminal, in characters. The zero Size is 80 by 24.
type Size struct{ Columns, Rows uint16 }

// Stdio are the ends of pipes that a process gets; what is nil reads nothing
// or goes nowhere. They are the caller's to close after Start has returned.
// With a TTY, a backend copies between them and the terminal.
type Stdio struct {
	Stdin, Stdout, Stderr *os.File
}

// Exit is how a container ended.
type Exit struct {
	Code      int  // of its first process, or 128 plus the signal that ended it
	OOMKilled bool // the kernel killed a process for want of memory
	OverDisk  bool // it was killed for it wrote more than it may
}

// Cause says in words what ended a container from without; "" if nothing did.
func (e Exit) Cause() string {
	switch {
	case e.OOMKilled:
		return "Error R15 (Memory quota vastly exceeded)"
	case e.OverDisk:
		return "Error: The dyno wrote more than a dyno may"
	}
	return ""
}

// Limits bound what one dyno may use. Backends are configured with them.
type Limits struct {
	CPUs   float64 // no limit if zero
	Memory int64   // bytes, no swap on top; no limit if zero
	Pids   int64   // processes and threads; no limit if zero
	Disk   int64   // bytes that it may write; no limit if zero
}
