package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"

	"slipway/internal/dyno"
	"slipway/internal/dyno/launch"
)

// pulledDir has an empty file for each image that we pulled, named by it: the
// daemon has others of the same registry, which are not ours to remove.
const pulledDir = "pulled"

// Prepare implements dyno.Backend. It goes on when the caller gives up, since
// others may wait for the same slug.
func (b *Backend) Prepare(ctx context.Context, slug dyno.Slug) error {
	_, err := b.engine.ImageInspect(ctx, launch.Reference(b.cfg.Registry, slug))
	if err == nil {
		return nil
	}
	if !errdefs.IsNotFound(err) {
		return fmt.Errorf("inspect slug: %w", err)
	}
	return b.ledger.Fetches.Do(ctx, slug, func(ctx context.Context) error { return b.pull(ctx, slug) })
}

func (b *Backend) pull(ctx context.Context, slug dyno.Slug) error {
	ref := launch.Reference(b.cfg.Registry, slug)
	if err := os.WriteFile(b.mark(ref), nil, 0o600); err != nil {
		return fmt.Errorf("remember slug: %w", err)
	}
	var o client.ImagePullOptions
	if b.cfg.Token != nil {
		token, revoke := b.cfg.Token(slug.App)
		defer revoke()
		auth, err := authconfig.Encode(registry.AuthConfig{Username: "slipway", Password: token, ServerAddress: b.cfg.Registry})
		if err != nil {
			return errors.New("encode registry credentials") // the error could quote them
		}
		o.RegistryAuth = auth
	}
	err := b.pullImage(ctx, ref, o)
	if missing(err) {
		return errors.Join(fmt.Errorf("slug %s of %s: %w: %w", slug.Digest, slug.App, dyno.ErrNotFound, err), os.Remove(b.mark(ref)))
	}
	return err
}

func (b *Backend) pullImage(ctx context.Context, ref string, o client.ImagePullOptions) error {
	res, err := b.engine.ImagePull(ctx, ref, o)
	if err != nil {
		return fmt.Errorf("pull slug: %w", err)
	}
	defer res.Close() //nolint:errcheck // it was read, or failed
	if err := res.Wait(ctx); err != nil {
		return fmt.Errorf("pull slug: %w", err)
	}
	return nil
}

// missing says whether the registry has no such image. Daemons tell it as the
// failure of a pull that has begun, in the registry's words.
func missing(err error) bool {
	return errdefs.IsNotFound(err) || err != nil && strings.Contains(err.Error(), "manifest unknown")
}

// Keep implements dyno.Backend.
func (b *Backend) Keep(ctx context.Context, wanted func(dyno.Slug) bool) error {
	entries, err := os.ReadDir(filepath.Join(b.cfg.Dir, pulledDir))
	if err != nil {
		return fmt.Errorf("list slugs: %w", err)
	}
	for _, e := range entries {
		ref, err := url.PathUnescape(e.Name())
		if err != nil {
			continue // not ours
		}
		slug, ok := launch.SlugOf(b.cfg.Registry, ref)
		if ok && wanted(slug) {
			continue
		}
		if err := b.ledger.Drop(slug, func() error { return b.drop(ctx, ref) }); err != nil {
			return err
		}
	}
	return nil
}

// drop removes an image that nobody uses.
func (b *Backend) drop(ctx context.Context, ref string) error {
	_, err := b.engine.ImageRemove(ctx, ref, client.ImageRemoveOptions{PruneChildren: true})
	if errdefs.IsConflict(err) {
		return nil // a container that is not ours uses it; next time
	}
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("drop slug: %w", err)
	}
	if err := os.Remove(b.mark(ref)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget slug: %w", err)
	}
	return nil
}

func (b *Backend) mark(ref string) string {
	return filepath.Join(b.cfg.Dir, pulledDir, url.PathEscape(ref))
}
