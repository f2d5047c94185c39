package embedded

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	cerrdefs "github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/semaphore"
)

// pullParallel bounds the layers that are downloaded at once.
const pullParallel = 4

// progressEvery bounds how often a download says how far it is.
const progressEvery = 200 * time.Millisecond

// ImagePull implements DockerClient. Registries on the loopback device are
// spoken to without TLS. The caller reads the result to its end or closes it,
// which gives the pull up.
func (e *Engine) ImagePull(ctx context.Context, ref string, o client.ImagePullOptions) (client.ImagePullResponse, error) {
	named, err := reference.ParseDockerRef(ref)
	if err != nil {
		return nil, invalid("image name %q: %w", ref, err)
	}
	if len(o.Platforms) > 1 {
		return nil, invalid("several platforms at once")
	}
	want := platforms.Default()
	if len(o.Platforms) == 1 {
		want = platforms.Only(o.Platforms[0])
	}
	auth, err := credentials(o.RegistryAuth)
	if err != nil {
		return nil, err
	}
	resolver := docker.NewResolver(docker.ResolverOptions{
		Hosts: docker.ConfigureDefaultRegistries(
			docker.WithPlainHTTP(docker.MatchLocalhost),
			docker.WithAuthorizer(docker.NewDockerAuthorizer(docker.WithAuthCreds(auth))),
		),
	})
	ctx = e.images.with(ctx)
	name, desc, err := resolver.Resolve(ctx, named.String())
	if err != nil {
		return nil, fmt.Errorf("pull %s: %w", reference.FamiliarString(named), err)
	}
	fetcher, err := resolver.Fetcher(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("pull %s: %w", reference.FamiliarString(named), err)
	}
	ctx, cancel := context.WithCancel(ctx)
	pr, pw := io.Pipe()
	p := &pull{store: e.images, named: named, want: want, out: json.NewEncoder(pw)}
	p.fetcher = fetcher
	stop := context.AfterFunc(ctx, func() { pw.CloseWithError(ctx.Err()) })
	go func() {
		defer cancel()
		defer stop()
		if err := p.run(ctx, desc); err != nil {
			p.say(jsonstream.Message{Error: &jsonstream.Error{Message: fmt.Sprintf("pull %s: %v", reference.FamiliarString(named), err)}})
		}
		_ = pw.Close()
	}()
	return &pullStream{ReadCloser: pr, cancel: cancel}, nil
}

// credentials decodes X-Registry-Auth, as pack and docker write it.
func credentials(encoded string) (func(string) (string, string, error), error) {
	var auth struct {
		Username      string `json:"username"`
		Password      string `json:"password"`
		IdentityToken string `json:"identitytoken"`
		RegistryToken string `json:"registrytoken"`
	}
	if encoded != "" {
		text, err := base64.URLEncoding.DecodeString(encoded)
		if err != nil {
			text, err = base64.StdEncoding.DecodeString(encoded)
		}
		if err == nil {
			err = json.Unmarshal(text, &auth)
		}
		if err != nil {
			// The text of err could quote the secret.
			return nil, invalid("registry credentials are not readable")
		}
	}
	return func(string) (string, string, error) {
		if auth.IdentityToken != "" {
			return "", auth.IdentityToken, nil
		}
		return auth.Username, auth.Password, nil
	}, nil
}

// A pull downloads one image and tells how far it is.
type pull struct {
	store   *imageStore
	named   reference.Named
	want    platforms.MatchComparer
	fetcher remotes.Fetcher

	mu  sync.Mutex
	out *json.Encoder
}

func (p *pull) run(ctx context.Context, desc ocispec.Descriptor) error {
	defer p.store.adding()()
	tag := "latest"
	if t, ok := p.named.(reference.Tagged); ok {
		tag = t.Tag()
	} else if d, ok := p.named.(reference.Digested); ok {
		tag = d.Digest().String()
	}
	p.say(jsonstream.Message{Status: "Pulling from " + reference.Path(p.named), ID: tag})
	root := desc.Digest
	if err := p.fetch(ctx, desc); err != nil {
		return err
	}
	desc, err := p.store.choose(ctx, desc, p.want)
	if err != nil {
		return err
	}
	names := []string{p.named.String()}
	if _, digested := p.named.(reference.Digested); !digested {
		names = append(names, p.named.Name()+"@"+root.String())
	}
	i, err := p.store.add(ctx, desc, names)
	if err != nil {
		return err
	}
	for _, l := range i.layers {
		p.say(jsonstream.Message{Status: "Pull complete", ID: short(l.Digest)})
	}
	p.say(jsonstream.Message{Status: "Digest: " + root.String()})
	p.say(jsonstream.Message{Status: "Status: Downloaded newer image for " + reference.FamiliarString(p.named)})
	return nil
}

// fetch downloads all blobs of the wanted platform that are not here yet.
func (p *pull) fetch(ctx context.Context, desc ocispec.Descriptor) error {
	children := images.LimitManifests(images.FilterPlatforms(images.ChildrenHandler(p.store.content), p.want), p.want, 1)
	handler := images.Handlers(
		remotes.FetchHandler(p.store.content, progressFetcher{p}),
		children,
	)
	return images.Dispatch(ctx, handler, semaphore.NewWeighted(pullParallel), desc)
}

// say writes one message. When nobody reads any more, the pull is cancelled
// by other means.
func (p *pull) say(m jsonstream.Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.out.Encode(m)
}

func short(d digest.Digest) string { return d.Encoded()[:12] }

// progressFetcher tells of layers that pass through it.
type progressFetcher struct{ pull *pull }

func (f progressFetcher) Fetch(ctx context.Context, desc ocispec.Descriptor) (io.ReadCloser, error) {
	body, err := f.pull.fetcher.Fetch(ctx, desc)
	if err != nil || !images.IsLayerType(desc.MediaType) {
		return body, err
	}
	f.pull.say(jsonstream.Message{Status: "Pulling fs layer", ID: short(desc.Digest)})
	return &progressReader{ReadCloser: body, pull: f.pull, desc: desc}, nil
}

type progressReader struct {
	io.ReadCloser
	pull *pull
	desc ocispec.Descriptor
	n    int64
	said time.Time
}

func (r *progressReader) Read(b []byte) (int, error) {
	n, err := r.ReadCloser.Read(b)
	r.n += int64(n)
	id := short(r.desc.Digest)
	switch now := time.Now(); {
	case errors.Is(err, io.EOF):
		r.pull.say(jsonstream.Message{Status: "Download complete", ID: id})
	case now.Sub(r.said) >= progressEvery:
		r.said = now
		r.pull.say(jsonstream.Message{Status: "Downloading", ID: id, Progress: &jsonstream.Progress{Current: r.n, Total: r.desc.Size}})
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

// pullStream is the JSON that a pull writes.
type pullStream struct {
	io.ReadCloser
	cancel func()
}

var _ client.ImagePullResponse = (*pullStream)(nil)

// Close gives the pull up, if it still runs.
func (s *pullStream) Close() error {
	s.cancel()
	return s.ReadCloser.Close()
}

// JSONMessages implements client.ImagePullResponse.
func (s *pullStream) JSONMessages(ctx context.Context) iter.Seq2[jsonstream.Message, error] {
	return func(yield func(jsonstream.Message, error) bool) {
		defer func() { _ = s.Close() }() // of a pipe
		stop := context.AfterFunc(ctx, func() { _ = s.Close() })
		defer stop()
		for dec := json.NewDecoder(s); ; {
			var m jsonstream.Message
			err := dec.Decode(&m)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil && ctx.Err() != nil {
				err = ctx.Err()
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

// Wait implements client.ImagePullResponse.
func (s *pullStream) Wait(ctx context.Context) error {
	for m, err := range s.JSONMessages(ctx) {
		if err != nil {
			return err
		}
		if m.Error != nil {
			return fmt.Errorf("%w: %w", cerrdefs.ErrUnknown, m.Error)
		}
	}
	return nil
}
