package repo

import (
	"context"
	"errors"
	"io"
)

// WritePack writes a pack of everything that is reachable from wants and not
// from haves. Haves that are not in the repository are ignored.
func (r *Repo) WritePack(ctx context.Context, w io.Writer, wants, haves []Hash, o PackOptions) error {
	return errors.ErrUnsupported
}
