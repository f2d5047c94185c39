package bundled

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/buildpacks/imgutil"
	pubbldr "github.com/buildpacks/pack/builder"
	"github.com/buildpacks/pack/pkg/blob"
	"github.com/buildpacks/pack/pkg/client"
	"github.com/buildpacks/pack/pkg/dist"
	packimage "github.com/buildpacks/pack/pkg/image"
	"github.com/buildpacks/pack/pkg/logging"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"go.uber.org/zap"
)

// runImageName is what the builder's metadata calls the run image. Whoever
// runs builds says where it really is.
const runImageName = "slipway/run"

// A hub is a registry in this process whose blobs are those of the layout that
// is being made: a layer that lies there need not be sent.
type hub struct {
	addr   string
	server *http.Server
	done   chan error
}

// openHub serves a registry over blobs, the folder of an OCI layout.
func openHub(ctx context.Context, blobs string) (*hub, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open registry: %w", err)
	}
	quiet := zap.NewStdLog(zap.NewNop())
	h := &hub{addr: l.Addr().String(), done: make(chan error, 1)}
	h.server = &http.Server{
		Handler:           registry.New(registry.Logger(quiet), registry.WithBlobHandler(registry.NewDiskBlobHandler(blobs))),
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          quiet,
	}
	go func() { h.done <- h.server.Serve(l) }()
	return h, nil
}

// Close ends the registry.
func (h *hub) Close() error {
	err := h.server.Close()
	if served := <-h.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// push stores an image as slipway/NAME and gives its reference.
func (h *hub) push(ctx context.Context, repo string, img v1.Image) (string, error) {
	ref := h.addr + "/slipway/" + repo
	parsed, err := name.ParseReference(ref)
	if err != nil {
		return "", err
	}
	if err := remote.Write(parsed, img, remote.WithContext(ctx), remote.WithAuth(authn.Anonymous)); err != nil {
		return "", fmt.Errorf("store %s image: %w", repo, err)
	}
	return ref, nil
}

// pull reads an image back.
func (h *hub) pull(ctx context.Context, ref string) (v1.Image, error) {
	parsed, err := name.ParseReference(ref)
	if err != nil {
		return nil, err
	}
	img, err := remote.Image(parsed, remote.WithContext(ctx), remote.WithAuth(authn.Anonymous))
	if err != nil {
		return nil, fmt.Errorf("read image: %w", err)
	}
	return img, nil
}

// noDocker stands where pack wants a Docker client that publishing never calls.
type noDocker struct{ client.DockerClient }

// A fetcher finds the run image in the hub, under the name it will have.
type fetcher struct {
	client.ImageFetcher
	run string
}

// Fetch finds an image.
func (f fetcher) Fetch(ctx context.Context, name string, o packimage.FetchOptions) (imgutil.Image, error) {
	if name == runImageName {
		name = f.run
	}
	return f.ImageFetcher.Fetch(ctx, name, o)
}

// newClient makes the pack client that works against the hub.
func newClient(run, work string) (*client.Client, error) {
	log := logging.NewSimpleLogger(io.Discard)
	keys := authn.NewMultiKeychain()
	c, err := client.NewClient(
		client.WithLogger(log), client.WithDockerClient(noDocker{}), client.WithKeychain(keys),
		client.WithDownloader(blob.NewDownloader(log, filepath.Join(work, "pack"))),
		client.WithFetcher(fetcher{packimage.NewFetcher(log, noDocker{}, packimage.WithKeychain(keys)), run}),
	)
	if err != nil {
		return nil, fmt.Errorf("make pack client: %w", err)
	}
	return c, nil
}

// createBuilder has pack make the builder out of the build image, the
// lifecycle and the buildpacks, and gives its reference in the hub.
func createBuilder(ctx context.Context, h *hub, parts builderParts) (string, error) {
	c, err := newClient(parts.run, parts.work)
	if err != nil {
		return "", err
	}
	config := pubbldr.Config{
		Description: "Slipway's own builder: Debian " + distroVer,
		Build:       pubbldr.BuildConfig{Image: parts.build},
		Run:         pubbldr.RunConfig{Images: []pubbldr.RunImageConfig{{Image: runImageName}}},
		Lifecycle:   pubbldr.LifecycleConfig{URI: parts.lifecycle},
	}
	for _, s := range Buildpacks {
		config.Buildpacks = append(config.Buildpacks, pubbldr.ModuleConfig{
			ModuleInfo: dist.ModuleInfo{ID: s.ID},
			ImageOrURI: dist.ImageOrURI{BuildpackURI: dist.BuildpackURI{URI: filepath.Join(parts.buildpacks, s.Dir)}},
		})
	}
	for _, members := range Order {
		var group dist.OrderEntry
		for _, m := range members {
			group.Group = append(group.Group, dist.ModuleRef{ModuleInfo: dist.ModuleInfo{ID: m.ID}, Optional: m.Optional})
		}
		config.Order = append(config.Order, group)
	}
	ref := h.addr + "/slipway/builder"
	err = c.CreateBuilder(ctx, client.CreateBuilderOptions{
		BuilderName: ref, Config: config, Publish: true, PullPolicy: packimage.PullAlways,
		RelativeBaseDir: parts.work, TempDirectory: parts.work,
		Labels: parts.labels,
	})
	if err != nil {
		return "", fmt.Errorf("create builder: %w", err)
	}
	return ref, nil
}

// builderParts are what a builder is made of: references in the hub, and files.
type builderParts struct {
	build, run            string
	lifecycle, buildpacks string
	labels                map[string]string
	work                  string
}
