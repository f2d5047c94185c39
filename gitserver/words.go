package gitserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"go.uber.org/zap"

	"slipway/gitserver/pktline"
	"slipway/gitserver/repo"
)

var (
	errPushTimeout = errors.New("push timed out")
	errShutdown    = errors.New("server is shutting down")
	errGone        = errors.New("client is gone")
)

const endedEarly = "the connection ended too early; try again"

// words turns an error into what the client may read. What it does not know is
// an internal error, logged whole under the call's ID.
func (s *Server) words(ctx context.Context, c *call, err error) string {
	if text, ok := knownWords(ctx, c, err); ok {
		return text
	}
	c.log.Error("internal error", zap.Error(err))
	return fmt.Sprintf("internal error; tell the server's operator this ID: %s", c.id)
}

func knownWords(ctx context.Context, c *call, err error) (string, bool) {
	var user *UserError
	switch {
	case errors.As(err, &user):
		return user.Text, true
	case interrupted(err):
		return interruptionWords(ctx, err), true
	case errors.Is(err, ErrBusy):
		return fmt.Sprintf("too many pushes to %s are waiting; push again later", c.repo), true
	case errors.Is(err, repo.ErrMemory):
		return "the server has no memory to spare for this now; try again in a moment", true
	case errors.Is(err, repo.ErrBusy):
		return fmt.Sprintf("repository %s is being tidied; push again in a moment", c.repo), true
	case errors.Is(err, ErrNotFound), errors.Is(err, repo.ErrNotRepository):
		return fmt.Sprintf("repository %s does not exist, or you may not see it; check the remote with git remote -v", c.repo), true
	case errors.Is(err, repo.ErrFormat):
		return fmt.Sprintf("repository %s is of a format that is not served here, such as sha256; ask the server's operator to convert it", c.repo), true
	case errors.Is(err, ErrForbidden):
		return fmt.Sprintf("you may not do that to repository %s; ask its owner for access", c.repo), true
	case errors.Is(err, pktline.ErrLength):
		return "this is not a git packet: " + err.Error(), true
	}
	if text, ok := packWords(err); ok {
		return text, true
	}
	return endedEarly, errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

// interrupted reports whether an error comes from the end of a context or of a
// connection.
func interrupted(err error) bool {
	for _, known := range []error{
		context.Canceled, context.DeadlineExceeded, errPushTimeout, errShutdown, errGone,
		os.ErrDeadlineExceeded,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

func interruptionWords(ctx context.Context, err error) string {
	cause := errors.Join(err, context.Cause(ctx))
	switch {
	case errors.Is(cause, errPushTimeout):
		return "the push took too long and was stopped; nothing was changed"
	case errors.Is(cause, errShutdown):
		return "the server is shutting down; push again in a moment"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "nothing was received for too long; check the connection and try again"
	case ctx.Err() != nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "cancelled; nothing was changed"
	}
	return endedEarly
}

// broken marks an error of reading from a client, except the end.
func broken(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return fmt.Errorf("%w: %w", errGone, err)
}

// packWords explains what is wrong with a pack; its errors name objects and
// limits, nothing of ours.
func packWords(err error) (string, bool) {
	for _, known := range []error{
		repo.ErrBadPack, repo.ErrBadObject, repo.ErrCollision, repo.ErrMissing, repo.ErrLimit, repo.ErrFilter,
	} {
		if errors.Is(err, known) {
			return err.Error(), true
		}
	}
	return "", false
}

// nameWords explains a repository name that breaks the rules.
func nameWords(err error) string {
	return fmt.Sprintf("%v: a name has %d to %d small letters, digits and dashes, and begins with a letter; check the remote with git remote -v",
		err, minName, maxName)
}
