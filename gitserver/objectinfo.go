package gitserver

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/pktline"
	"slipway/gitserver/repo"
)

// objectInfo tells how large objects are, without sending them
// (gitprotocol-v2, "object-info").
func objectInfo(ctx context.Context, w *wire, r *repo.Repo, args []string) error {
	sizes := false
	var ids []plumbing.Hash
	for _, arg := range args {
		id, isID := strings.CutPrefix(arg, "oid ")
		h, valid := parseHash(id)
		switch {
		case isID && valid:
			ids = append(ids, h)
		case isID:
			return refuse("malformed object name %q", clip(id, 64))
		case arg == "size":
			sizes = true
		default:
			return refuse("unknown argument of object-info: %q", clip(arg, 64))
		}
	}
	pkt := pktline.NewWriter(w.out)
	if sizes && len(ids) > 0 {
		_ = pkt.Line("size") // Err returns the first error
	}
	for _, h := range ids {
		line, err := infoLine(r, h, sizes)
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		_ = pkt.Line(line) // Err returns the first error
	}
	_ = pkt.Flush() // Err returns the first error
	return errors.Join(pkt.Err(), w.flush())
}

// infoLine describes an object; one that does not exist has nothing behind
// its name.
func infoLine(r *repo.Repo, h plumbing.Hash, size bool) (string, error) {
	_, n, err := r.Stat(h)
	switch {
	case errors.Is(err, repo.ErrNotFound):
		return h.String() + " ", nil
	case err != nil:
		return "", fmt.Errorf("look up %s: %w", h, err)
	case !size:
		return h.String(), nil
	}
	return fmt.Sprintf("%s %d", h, n), nil
}
