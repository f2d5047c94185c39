package build

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/buildpacks/imgutil"
	"github.com/buildpacks/imgutil/local"
	packclient "github.com/buildpacks/pack/pkg/client"
	"github.com/buildpacks/pack/pkg/image"
	"github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/moby/moby/client"
)

// A fetcher finds images for pack, for one build. Unlike pack's own it asks
// the network only for what is not here, and stops when the build does.
type fetcher struct {
	b        *Builder
	s        *session
	keys     authn.Keychain
	readable func(ref string) bool
	asked    bool // the request named the builder
}

var _ packclient.ImageFetcher = (*fetcher)(nil)

// Fetch opens an image of the engine, pulling it if it is not there, or one
// of a registry.
func (f *fetcher) Fetch(ctx context.Context, ref string, o image.FetchOptions) (imgutil.Image, error) {
	if !o.Daemon {
		return f.b.runImage(ctx, ref, f.keys)
	}
	img, err := f.local(ctx, ref, o)
	if err == nil {
		err = f.extensions(img)
	}
	return img, err
}

func (f *fetcher) local(ctx context.Context, ref string, o image.FetchOptions) (imgutil.Image, error) {
	img, err := local.NewImage(ref, f.s, local.FromBaseImage(ref))
	if err != nil {
		return nil, fmt.Errorf("inspect image: %w", err)
	}
	if img.Found() {
		return img, nil
	}
	if o.PullPolicy == image.PullNever {
		return nil, fmt.Errorf("image %s: %w", ref, image.ErrNotFound)
	}
	if err := f.pull(ctx, ref); err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, &Error{UserFault: f.asked, Text: "The image " + ref + " cannot be pulled.\nCheck its name, and whether this server may read it.", Err: err}
	}
	return local.NewImage(ref, f.s, local.FromBaseImage(ref))
}

// extensions refuses builders with image extensions, which change images as
// root: no limit of ours is tested against that.
func (f *fetcher) extensions(img imgutil.Image) error {
	order, err := img.Label("io.buildpacks.buildpack.order-extensions")
	if err != nil {
		return fmt.Errorf("read builder: %w", err)
	}
	if order == "" || order == "null" || order == "[]" {
		return nil
	}
	return refuse(ErrRefused, "The builder %s has image extensions, which this server does not run.\nChoose a builder without.", img.Name())
}

// FetchForPlatform is Fetch: an engine pulls for the platform that it runs on.
func (f *fetcher) FetchForPlatform(ctx context.Context, ref string, o image.FetchOptions) (imgutil.Image, error) {
	return f.Fetch(ctx, ref, o)
}

// CheckReadAccess tells whether an image could be the run image.
func (f *fetcher) CheckReadAccess(ref string, _ image.FetchOptions) bool { return f.readable(ref) }

func (f *fetcher) pull(ctx context.Context, ref string) error {
	parsed, err := name.ParseReference(ref, name.WeakValidation)
	if err != nil {
		return fmt.Errorf("parse reference: %w", err)
	}
	// A pull goes out from the server itself, not from the build's network:
	// the token of our registry has no business there.
	auth, err := f.b.cfg.Keychain.Resolve(parsed.Context())
	if err != nil {
		return fmt.Errorf("find sign-in: %w", err)
	}
	signIn, err := auth.Authorization()
	if err != nil {
		return fmt.Errorf("find sign-in: %w", err)
	}
	header, err := json.Marshal(signIn)
	if err != nil {
		return fmt.Errorf("encode sign-in: %w", err)
	}
	f.s.t.note("-----> Pulling " + parsed.Name() + " (once on this server)")
	started := time.Now()
	resp, err := f.s.ImagePull(ctx, parsed.Name(), client.ImagePullOptions{RegistryAuth: base64.URLEncoding.EncodeToString(header)})
	if err != nil {
		return err
	}
	defer func() { _ = resp.Close() }() // it was read to its end, or failed
	for m, err := range resp.JSONMessages(ctx) {
		switch {
		case err != nil:
			return err
		case m.Error != nil:
			return m.Error
		}
		f.s.t.debug(m.Status)
	}
	f.s.t.note(detail + "Pulled in " + time.Since(started).Round(100*time.Millisecond).String())
	return nil
}

// inEngine tells whether the engine has an image.
func inEngine(ctx context.Context, e Engine, ref string) (bool, error) {
	_, err := e.ImageInspect(ctx, ref)
	if errdefs.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("inspect image %s: %w", ref, err)
	}
	return true, nil
}
