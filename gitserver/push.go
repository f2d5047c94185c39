package gitserver

import (
	"context"
	"io"
	"io/fs"

	"github.com/go-git/go-git/v5/plumbing"
)

// The transports that a [Push] can name.
const (
	TransportHTTP = "http"
	TransportSSH  = "ssh"
)

// reasonDeclined is what git's own hooks answer, and what clients know.
const reasonDeclined = "pre-receive hook declined"

// A Command is what the client asks for one ref.
type Command struct {
	Ref string        // full name, such as refs/heads/main
	Old plumbing.Hash // where the client saw it; zero for a ref to be created
	New plumbing.Hash // where it is to be; zero for a ref to be deleted
}

// IsCreate reports whether the ref is to be created.
func (c Command) IsCreate() bool { return c.Old.IsZero() && !c.New.IsZero() }

// IsDelete reports whether the ref is to be deleted.
func (c Command) IsDelete() bool { return c.New.IsZero() }

// A Commit is what a [Receiver] is told about a commit.
type Commit struct {
	Author  string // name of the author
	Email   string // address of the author
	Subject string // first line of the message
}

// A Push is one `git push`. Its functions work until Receive and the returned
// [CommitFunc] have returned; they may be called by several goroutines at once.
type Push struct {
	ID        string    // unique, also in the log
	Repo      string    // name of the repository, without .git
	User      string    // who signed in, as the Authorizer said
	Transport string    // TransportHTTP or TransportSSH
	Remote    string    // HOST:PORT of the client
	Commands  []Command // those that are well-formed and not refused by the server's own rules
	Options   []string  // what came with git push -o, in order
	Atomic    bool      // git push --atomic: all refs or none

	// Tree is the file tree of a commit, read from the pushed objects and those
	// that the repository already had; an annotated tag stands for its commit.
	Tree func(commit plumbing.Hash) (fs.FS, error)
	// Commit reads a commit's author and subject.
	Commit func(commit plumbing.Hash) (Commit, error)
}

// A Receiver is asked before any ref moves. An error rejects the whole push,
// and its text is shown to the person who pushed; a [*RejectError] says more
// precisely how. Whatever is written to progress reaches their terminal as it
// is written; progress may be used by several goroutines, until the returned
// CommitFunc, if any, has returned. Receive is called once at a time for one
// repository. When the client goes away, ctx is cancelled.
type Receiver interface {
	Receive(ctx context.Context, p *Push, progress io.Writer) (CommitFunc, error)
}

// A CommitFunc makes a push stand. It runs once the objects are in place and
// every ref is locked and compared: after it returns nil, nothing but a crash
// keeps the refs from moving (then [Server.FinishRef] repairs them). An error
// leaves every ref as it was. It is not called where no ref can move.
type CommitFunc func(ctx context.Context) error
