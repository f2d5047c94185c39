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

// pullTimeout bounds how long a slug may take to come and be unpacked.
const pullTimeout = 10 * time.Minute

// A pull is one slug on its way, for all who wait for it.
type pull struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when err is set
	err    error
}

// Prepare implements dyno.Backend. It goes on when the caller gives up, since
// others may wait for the same slug.
func (b *Backend) Prepare(ctx context.Context, slug dyno.Slug) error {
	ref := b.reference(slug)
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return dyno.ErrClosed
	}
	if _, err := b.images.Find(ref); err == nil {
		b.mu.Unlock()
		return nil
	}
	p, ok := b.pulls[ref]
	if !ok {
		p = &pull{done: make(chan struct{})}
		var pulling context.Context
		pulling, p.cancel = context.WithTimeout(context.WithoutCancel(ctx), pullTimeout)
		b.pulls[ref] = p
		b.work.Go(func() { b.pull(pulling, p, slug) })
	}
	b.mu.Unlock()
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *Backend) pull(ctx context.Context, p *pull, slug dyno.Slug) {
	defer p.cancel()
	began := time.Now()
	ref := b.reference(slug)
	o := images.PullOptions{Dial: b.cfg.DialRegistry}
	if b.cfg.Token != nil {
		token, revoke := b.cfg.Token(slug.App)
		defer revoke()
		o.Username, o.Password = "slipway", token
	}
	_, p.err = b.images.Pull(ctx, ref, o)
	switch {
	case p.err == nil:
		b.log.Debug("slug unpacked", zap.String("app", slug.App), zap.String("slug", slug.Digest), zap.Duration("took", time.Since(began)))
	case cerrdefs.IsNotFound(p.err):
		p.err = fmt.Errorf("slug %s of %s: %w: %w", slug.Digest, slug.App, dyno.ErrNotFound, p.err)
	}
	b.mu.Lock()
	delete(b.pulls, ref)
	b.mu.Unlock()
	close(p.done)
}

// Keep implements dyno.Backend.
func (b *Backend) Keep(ctx context.Context, wanted func(dyno.Slug) bool) error {
	for _, ref := range b.images.List() {
		if slug, ok := b.slug(ref); ok && wanted(slug) {
			continue
		}
		if err := b.drop(ctx, ref); err != nil {
			return err
		}
	}
	return nil
}

// drop removes a slug that nobody uses.
func (b *Backend) drop(ctx context.Context, ref string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.uses[ref] > 0 || b.pulls[ref] != nil {
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
