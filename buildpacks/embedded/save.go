package embedded

import (
	"context"
	"errors"
	"io"

	"github.com/moby/moby/client"

	"slipway/internal/images"
)

// ImageSave implements DockerClient. The caller closes the result.
func (e *Engine) ImageSave(ctx context.Context, names []string, _ ...client.ImageSaveOption) (client.ImageSaveResult, error) {
	var list []*images.Image
	for _, name := range names {
		// Held as a container would, so that it is not deleted meanwhile.
		i, err := e.images.Acquire(name)
		if err != nil {
			return nil, errors.Join(err, e.releaseAll(ctx, list))
		}
		list = append(list, i)
	}
	pr, pw := io.Pipe()
	go func() {
		err := e.images.Save(ctx, pw, list)
		err = errors.Join(err, e.releaseAll(context.WithoutCancel(ctx), list))
		pw.CloseWithError(err)
	}()
	return pr, nil
}

func (e *Engine) releaseAll(ctx context.Context, list []*images.Image) error {
	var errs []error
	for _, i := range list {
		errs = append(errs, e.images.Release(ctx, i))
	}
	return errors.Join(errs...)
}
