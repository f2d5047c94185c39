package images

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/semaphore"
)

// pullParallel bounds the layers that are downloaded at once.
const pullParallel = 4

// progressEvery bounds how often a download says how far it is.
const progressEvery = 200 * time.Millisecond

// PullOptions say how an image is pulled.
type PullOptions struct {
	// Username and Password are for the registry. A password without a name
	// is a token to be exchanged for another.
	Username, Password string
	// Platform is which image of several is wanted; this machine's if nil.
	Platform *ocispec.Platform
	// Dial connects to the registry, without TLS, whatever it is called. If
	// it is nil, the registry is found by its name, and spoken to without
	// TLS on the loopback device only.
	Dial func(ctx context.Context) (net.Conn, error)
	// Progress is told how far the layers are; it may be nil. It is called
	// by one goroutine at a time.
	Progress func(Progress)
}

// A Stage is where the download of a layer stands.
type Stage string

// The stages of a layer, in Docker's words.
const (
	Waiting     Stage = "Pulling fs layer"
	Downloading Stage = "Downloading"
	Downloaded  Stage = "Download complete"
	Unpacked    Stage = "Pull complete"
)

// Progress is how far one layer is.
type Progress struct {
	Layer          ocispec.Descriptor
	Stage          Stage
	Current, Total int64 // bytes, while Downloading
}

// A Pull is one image that was found in its registry.
type Pull struct {
	store   *Store
	named   reference.Named
	want    platforms.MatchComparer
	root    ocispec.Descriptor
	fetcher remotes.Fetcher
	idle    func()

	mu   sync.Mutex
	tell func(Progress)
}

// FindRemote looks an image up in its registry, to be downloaded by Pull.Run.
func (s *Store) FindRemote(ctx context.Context, ref string, o PullOptions) (*Pull, error) {
	named, err := reference.ParseDockerRef(ref)
	if err != nil {
		return nil, invalid("image name %q: %w", ref, err)
	}
	p := &Pull{store: s, named: named, want: platforms.Default(), tell: o.Progress, idle: func() {}}
	if o.Platform != nil {
		p.want = platforms.Only(*o.Platform)
	}
	creds := func(string) (string, string, error) { return o.Username, o.Password, nil }
	hosts := []docker.RegistryOpt{docker.WithPlainHTTP(docker.MatchLocalhost)}
	auth := []docker.AuthorizerOpt{docker.WithAuthCreds(creds)}
	if o.Dial != nil {
		tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return o.Dial(ctx) }}
		p.idle = tr.CloseIdleConnections
		c := &http.Client{Transport: tr}
		hosts = []docker.RegistryOpt{docker.WithPlainHTTP(docker.MatchAllHosts), docker.WithClient(c)}
		auth = append(auth, docker.WithAuthClient(c))
	}
	hosts = append(hosts, docker.WithAuthorizer(docker.NewDockerAuthorizer(auth...)))
	resolver := docker.NewResolver(docker.ResolverOptions{Hosts: docker.ConfigureDefaultRegistries(hosts...)})
	ctx = s.with(ctx)
	name, desc, err := resolver.Resolve(ctx, named.String())
	if err == nil {
		p.root = desc
		p.fetcher, err = resolver.Fetcher(ctx, name)
	}
	if err != nil {
		p.idle()
		return nil, fmt.Errorf("pull %s: %w", reference.FamiliarString(named), err)
	}
	return p, nil
}

// Pull downloads an image, unpacks it and names it by ref.
func (s *Store) Pull(ctx context.Context, ref string, o PullOptions) (*Image, error) {
	p, err := s.FindRemote(ctx, ref, o)
	if err != nil {
		return nil, err
	}
	return p.Run(ctx)
}

// Named is the image's full name.
func (p *Pull) Named() reference.Named { return p.named }

// Root is the manifest or index that the name stands for.
func (p *Pull) Root() ocispec.Descriptor { return p.root }

// Run downloads and unpacks the image. It may be called once.
func (p *Pull) Run(ctx context.Context) (*Image, error) {
	defer p.idle()
	i, err := p.run(p.store.with(ctx))
	if err != nil {
		return nil, fmt.Errorf("pull %s: %w", reference.FamiliarString(p.named), err)
	}
	return i, nil
}

func (p *Pull) run(ctx context.Context) (*Image, error) {
	defer p.store.adding()()
	if err := p.fetch(ctx, p.root); err != nil {
		return nil, err
	}
	desc, err := p.store.choose(ctx, p.root, p.want)
	if err != nil {
		return nil, err
	}
	names := []string{p.named.String()}
	if _, digested := p.named.(reference.Digested); !digested {
		names = append(names, p.named.Name()+"@"+p.root.Digest.String())
	}
	i, err := p.store.add(ctx, desc, names)
	if err != nil {
		return nil, err
	}
	for _, l := range i.layers {
		p.say(Progress{Layer: l, Stage: Unpacked})
	}
	return i, nil
}

// fetch downloads all blobs of the wanted platform that are not here yet.
func (p *Pull) fetch(ctx context.Context, desc ocispec.Descriptor) error {
	children := images.LimitManifests(images.FilterPlatforms(images.ChildrenHandler(p.store.content), p.want), p.want, 1)
	handler := images.Handlers(
		remotes.FetchHandler(p.store.content, progressFetcher{p}),
		children,
	)
	return images.Dispatch(ctx, handler, semaphore.NewWeighted(pullParallel), desc)
}

func (p *Pull) say(m Progress) {
	if p.tell == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tell(m)
}

// progressFetcher tells of layers that pass through it.
type progressFetcher struct{ pull *Pull }

func (f progressFetcher) Fetch(ctx context.Context, desc ocispec.Descriptor) (io.ReadCloser, error) {
	body, err := f.pull.fetcher.Fetch(ctx, desc)
	if err != nil || !images.IsLayerType(desc.MediaType) {
		return body, err
	}
	f.pull.say(Progress{Layer: desc, Stage: Waiting})
	return &progressReader{ReadCloser: body, pull: f.pull, desc: desc}, nil
}

type progressReader struct {
	io.ReadCloser
	pull *Pull
	desc ocispec.Descriptor
	n    int64
	said time.Time
}

func (r *progressReader) Read(b []byte) (int, error) {
	n, err := r.ReadCloser.Read(b)
	r.n += int64(n)
	switch now := time.Now(); {
	case errors.Is(err, io.EOF):
		r.pull.say(Progress{Layer: r.desc, Stage: Downloaded})
	case now.Sub(r.said) >= progressEvery:
		r.said = now
		r.pull.say(Progress{Layer: r.desc, Stage: Downloading, Current: r.n, Total: r.desc.Size})
	}
	return n, err
}

// Seek lets a download go on where an earlier one was broken off.
func (r *progressReader) Seek(offset int64, whence int) (int64, error) {
	s, ok := r.ReadCloser.(io.Seeker)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	n, err := s.Seek(offset, whence)
	r.n = n
	return n, err
}
