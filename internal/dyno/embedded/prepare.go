package embedded

import (
	"context"
	"fmt"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"go.uber.org/zap"

	"slipway/internal/dyno"
	"slipway/internal/images"
)

// Prepare implements dyno.Backend. It goes on when the caller gives up, since
// others may wait for the same slug.
func (b *Backend) Prepare(ctx context.Context, slug dyno.Slug) error {
	if _, err := b.images.Find(b.reference(slug)); err == nil {
		return nil
	}
	return b.fetches.Do(ctx, slug, func(ctx context.Context) error { return b.pull(ctx, slug) })
}

func (b *Backend) pull(ctx context.Context, slug dyno.Slug) error {
	began := time.Now()
	o := images.PullOptions{Dial: b.cfg.DialRegistry}
	if b.cfg.Token != nil {
		token, revoke := b.cfg.Token(slug.App)
		defer revoke()
		o.Username, o.Password = "slipway", token
	}
	_, err := b.images.Pull(ctx, b.reference(slug), o)
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
		slug, ok := b.slug(ref)
		if ok && wanted(slug) {
			continue
		}
		if err := b.drop(ctx, slug, ref); err != nil {
			return err
		}
	}
	return nil
}

// drop removes a slug that nobody uses.
func (b *Backend) drop(ctx context.Context, slug dyno.Slug, ref string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.uses[slug] > 0 || b.fetches.Running(slug) {
		return nil
	}
	_, err := b.images.Remove(ctx, ref, true)
	if err != nil && !cerrdefs.IsNotFound(err) {
		return fmt.Errorf("drop slug: %w", err)
	}
	return nil
}

// reference names a slug's image, in full.
func (b *Backend) reference(s dyno.Slug) string {
	return b.cfg.Registry + "/" + s.App + "@" + s.Digest
}

// slug reads what reference wrote. There is none in the names that a server
// with another address left.
func (b *Backend) slug(ref string) (dyno.Slug, bool) {
	rest, ok := strings.CutPrefix(ref, b.cfg.Registry+"/")
	app, digest, found := strings.Cut(rest, "@")
	return dyno.Slug{App: app, Digest: digest}, ok && found
}
