package gitserver

import (
	"context"

	"golang.org/x/crypto/ssh"
)

// An Authorizer says who somebody is and what they may do. Its methods are
// called by many goroutines at once.
type Authorizer interface {
	// Token returns the user who owns a token, [ErrUnauthorized] if nobody does.
	Token(ctx context.Context, token string) (user string, err error)
	// Key returns the user who owns a public key, [ErrUnauthorized] if nobody
	// does. It is called before the client has proved to have the private key.
	Key(ctx context.Context, key ssh.PublicKey) (user string, err error)
	// Repository returns nil if the access is granted, else [ErrNotFound],
	// [ErrForbidden] or a [*UserError]. It may create what the repository stands
	// for; the repository itself is made by the server.
	Repository(ctx context.Context, access Access) error
}

// An Access is what somebody who has signed in asks for.
type Access struct {
	User   string
	Remote string // HOST:PORT of the client
	Repo   string // without .git
	Write  bool   // to push, not only to read
}
