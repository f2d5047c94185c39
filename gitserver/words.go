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
	case errors.Is(context.Cause(ctx), errPushTimeout):
		return "the push took too long and was stopped; nothing was changed", true
	case errors.Is(context.Cause(ctx), errShutdown):
		return "the server is shutting down; push again in a moment", true
	case ctx.Err() != nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "cancelled; nothing was changed", true
	case errors.Is(err, ErrBusy):
		return fmt.Sprintf("too many pushes to %s are waiting; push again later", c.repo), true
	case errors.Is(err, ErrNotFound), errors.Is(err, repo.ErrNotRepository):
		return fmt.Sprintf("repository %s does not exist, or you may not see it; check the remote with git remote -v", c.repo), true
	case errors.Is(err, ErrForbidden):
		return fmt.Sprintf("you may not do that to repository %s; ask its owner for access", c.repo), true
	case errors.Is(err, pktline.ErrLength):
		return "this is not a git packet: " + err.Error(), true
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "nothing was received for too long; check the connection and try again", true
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "the connection ended too early; try again", true
	}
	return packWords(err)
}

// packWords explains what is wrong with a pack; its errors name objects and
// limits, nothing of ours.
func packWords(err error) (string, bool) {
	for _, known := range []error{
		repo.ErrBadPack, repo.ErrBadObject, repo.ErrCollision, repo.ErrMissing, repo.ErrLimit,
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
