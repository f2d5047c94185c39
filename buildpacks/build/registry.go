package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path"
	"time"

	"github.com/buildpacks/imgutil"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// newTransport connects to our registry by dial, and to others as usual. It
// reads no proxy settings: the environment is not this package's to read.
func newTransport(registry string, dial func(context.Context) (net.Conn, error)) *http.Transport {
	d := &net.Dialer{Timeout: 10 * time.Second}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if addr == registry {
				return dial(ctx)
			}
			return d.DialContext(ctx, network, addr)
		},
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: time.Minute,
		IdleConnTimeout:       time.Minute,
		ForceAttemptHTTP2:     true,
	}
}

// remoteImage opens an image of a registry.
func (b *Builder) remoteImage(ctx context.Context, ref string, keys authn.Keychain) (v1.Image, error) {
	parsed, err := name.ParseReference(ref, name.WeakValidation)
	if err != nil {
		return nil, fmt.Errorf("parse image reference: %w", err)
	}
	return remote.Image(parsed, remote.WithContext(ctx), remote.WithTransport(b.transport), remote.WithAuthFromKeychain(keys))
}

// readable tells whether ref can be read.
func (b *Builder) readable(ctx context.Context, ref string, keys authn.Keychain) bool {
	parsed, err := name.ParseReference(ref, name.WeakValidation)
	if err != nil {
		return false
	}
	_, err = remote.Head(parsed, remote.WithContext(ctx), remote.WithTransport(b.transport), remote.WithAuthFromKeychain(keys))
	return err == nil
}

// runImage opens the run image. Ours is named by its content, so it is read once.
func (b *Builder) runImage(ctx context.Context, ref string, keys authn.Keychain) (imgutil.Image, error) {
	ours := ref == b.cfg.RunImage
	if ours {
		b.mu.Lock()
		img := b.ourRunImage
		b.mu.Unlock()
		if img != nil {
			return newRegistryImage(img, ref)
		}
	}
	img, err := b.remoteImage(ctx, ref, keys)
	if err != nil {
		return nil, fmt.Errorf("read run image: %w", err)
	}
	if _, err := img.ConfigFile(); err != nil { // now, while ctx lives
		return nil, fmt.Errorf("read run image: %w", err)
	}
	if ours {
		b.mu.Lock()
		b.ourRunImage = img
		b.mu.Unlock()
	}
	return newRegistryImage(img, ref)
}

// A registryImage shows pack an image of a registry, for reading only.
type registryImage struct {
	*imgutil.CNBImageCore
	name string
}

var _ imgutil.Image = registryImage{}

func newRegistryImage(img v1.Image, ref string) (imgutil.Image, error) {
	core, err := imgutil.NewCNBImage(imgutil.ImageOptions{BaseImage: img})
	if err != nil {
		return nil, fmt.Errorf("read image: %w", err)
	}
	return registryImage{core, ref}, nil
}

func (r registryImage) Found() bool                             { return true }
func (r registryImage) Valid() bool                             { return true }
func (r registryImage) Kind() string                            { return "remote" }
func (r registryImage) Name() string                            { return r.name }
func (r registryImage) Rename(string)                           {}
func (r registryImage) Identifier() (imgutil.Identifier, error) { return nil, errors.ErrUnsupported }
func (r registryImage) Delete() error                           { return errors.ErrUnsupported }
func (r registryImage) Save(...string) error                    { return errors.ErrUnsupported }
func (r registryImage) SaveAs(string, ...string) error          { return errors.ErrUnsupported }
func (r registryImage) SaveFile() (string, error)               { return "", errors.ErrUnsupported }

// The lifecycle's labels on an image (platform specification, "Labels").
const (
	labelBuild     = "io.buildpacks.build.metadata"
	labelLifecycle = "io.buildpacks.lifecycle.metadata"
)

type buildMetadata struct {
	Processes []struct {
		Type        string          `json:"type"`
		Command     json.RawMessage `json:"command"` // a string before platform API 0.10
		Args        []string        `json:"args"`
		Direct      bool            `json:"direct"`
		Default     bool            `json:"default"`
		WorkDir     string          `json:"working-dir"`
		BuildpackID string          `json:"buildpackID"`
	} `json:"processes"`
}

type lifecycleMetadata struct {
	RunImage struct {
		TopLayer  string `json:"topLayer"`
		Reference string `json:"reference"`
		Image     string `json:"image"`
	} `json:"runImage"`
}

// describe reads what was published.
func (b *Builder) describe(ctx context.Context, ref string, keys authn.Keychain) (*Result, error) {
	img, err := b.remoteImage(ctx, ref, keys)
	if err != nil {
		return nil, fmt.Errorf("read built image: %w", err)
	}
	digest, err := img.Digest()
	if err != nil {
		return nil, fmt.Errorf("read built image: %w", err)
	}
	manifest, err := img.Manifest()
	if err != nil {
		return nil, fmt.Errorf("read built image: %w", err)
	}
	cfg, err := img.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("read built image: %w", err)
	}
	res := &Result{Digest: digest.String()}
	for _, l := range manifest.Layers {
		res.Size += l.Size
	}
	var meta buildMetadata
	if err := json.Unmarshal([]byte(cfg.Config.Labels[labelBuild]), &meta); err != nil {
		return nil, fmt.Errorf("read processes of built image: %w", err)
	}
	entry := cfg.Config.Entrypoint // /cnb/process/TYPE, where there is a default
	for _, p := range meta.Processes {
		proc := Process{Type: p.Type, Args: p.Args, Direct: p.Direct, WorkDir: p.WorkDir, Buildpack: p.BuildpackID}
		proc.Default = p.Default || len(entry) == 1 && path.Base(entry[0]) == p.Type
		if err := json.Unmarshal(p.Command, &proc.Command); err != nil {
			var one string
			if err := json.Unmarshal(p.Command, &one); err != nil {
				return nil, fmt.Errorf("read command of process %q: %w", p.Type, err)
			}
			proc.Command = []string{one}
		}
		res.Processes = append(res.Processes, proc)
	}
	var life lifecycleMetadata
	if err := json.Unmarshal([]byte(cfg.Config.Labels[labelLifecycle]), &life); err == nil {
		res.RunTop = life.RunImage.TopLayer
		res.RunImage = firstOf(life.RunImage.Reference, life.RunImage.Image)
	}
	return res, nil
}

func firstOf(s ...string) string {
	for _, v := range s {
		if v != "" {
			return v
		}
	}
	return ""
}
