package embedded

import (
	"context"
	"fmt"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"go.uber.org/zap"

	"slipway/internal/dyno"
	"slipway/internal/dyno/launch"
	"slipway/internal/images"
)

// Prepare implements dyno.Backend. It goes on when the caller gives up, since
// others may wait for the same slug.
func (b *Backend) Prepare(ctx context.Context, slug dyno.Slug) error {
	if _, err := b.images.Find(launch.Reference(b.cfg.Registry, slug)); err == nil {
		return nil
	}
	return b.ledger.Fetches.Do(ctx, slug, func(ctx context.Context) error { return b.pull(ctx, slug) })
}

func (b *Backend) pull(ctx context.Context, slug dyno.Slug) error {
	began := time.Now()
	o := images.PullOptions{Dial: b.cfg.DialRegistry}
	if b.cfg.Token != nil {
		token, revoke := b.cfg.Token(slug.App)
		defer revoke()
		o.Username, o.Password = "slipway", token
	}
	_, err := b.images.Pull(ctx, launch.Reference(b.cfg.Registry, slug), o)
	switch {
	case err == nil:
		b.log.Debug("slug unpacked", zap.String("app", slug.App), zap.String("slug", slug.Digest), zap.Duration("took", time.Since(began)))
	case cerrdefs.IsNotFound(err):
		return fmt.Errorf("slug %s of %s: %w: %w", slug.Digest, slug.App, dyno.ErrNotFound, err)
	}
	return err
}

// Keep implements dyno.Backend.
func (b *Backend) Keep(ctx context.Context, wanted func(dyno.Slug) bool) error {
	for _, ref := range b.images.List() {
		slug, ok := launch.SlugOf(b.cfg.Registry, ref)
		if ok && wanted(slug) {
			continue
		}
		err := b.ledger.Drop(slug, func() error {
			_, err := b.images.Remove(ctx, ref, true)
			return err
		})
		if err != nil && !cerrdefs.IsNotFound(err) {
			return fmt.Errorf("drop slug: %w", err)
		}
	}
	return nil
}
