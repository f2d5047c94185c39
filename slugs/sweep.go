package slugs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/distribution/distribution/v3/registry/storage"
	"go.uber.org/zap"
)

// Sweep removes every tag for which keep is false, then the images and layers
// that no tag names any more, and uploads that rest since a day. It holds new
// pushes up while it runs. While a push or a build is under way it does nothing
// and returns [ErrBusy]: the caller tries again later.
func (r *Registry) Sweep(ctx context.Context, keep func(repository, tag string) bool) error {
	// Not Lock: a waiting writer would stop the very build that it waits for.
	if !r.writing.TryLock() {
		return ErrBusy
	}
	defer r.writing.Unlock()
	started := time.Now()
	repositories, err := r.Repositories(ctx)
	if err != nil {
		return err
	}
	removed := 0
	for _, repository := range repositories {
		tags, err := r.Tags(ctx, repository)
		if err != nil {
			return err
		}
		for _, tag := range tags {
			if keep(repository, tag) {
				continue
			}
			if err := r.Untag(ctx, repository, tag); err != nil {
				return err
			}
			removed++
		}
	}
	if _, errs := storage.PurgeUploads(ctx, r.driver, time.Now().Add(-uploadLife), true); len(errs) > 0 {
		r.log.Warn("stale uploads left", zap.Error(errors.Join(errs...)))
	}
	if len(repositories) == 0 {
		return nil
	}
	err = storage.MarkAndSweep(ctx, r.driver, r.images, storage.GCOpts{RemoveUntagged: true, Quiet: true})
	if err != nil {
		return fmt.Errorf("sweep registry: %w", err)
	}
	r.log.Info("slugs swept", zap.Int("tags_removed", removed), zap.Duration("took", time.Since(started)))
	return nil
}
