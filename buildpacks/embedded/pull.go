package embedded

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"
	"github.com/opencontainers/go-digest"

	"slipway/internal/images"
)

// ImagePull implements DockerClient. Registries on the loopback device are
// spoken to without TLS. The caller reads the result to its end or closes it,
// which gives the pull up.
func (e *Engine) ImagePull(ctx context.Context, ref string, o client.ImagePullOptions) (client.ImagePullResponse, error) {
	if len(o.Platforms) > 1 {
		return nil, invalid("several platforms at once")
	}
	opts, err := credentials(o.RegistryAuth)
	if err != nil {
		return nil, err
	}
	if len(o.Platforms) == 1 {
		opts.Platform = &o.Platforms[0]
	}
	pr, pw := io.Pipe()
	out := json.NewEncoder(pw)
	// When nobody reads any more, the pull is cancelled by other means.
	say := func(m jsonstream.Message) { _ = out.Encode(m) }
	opts.Progress = func(p images.Progress) { say(message(p)) }
	p, err := e.images.FindRemote(ctx, ref, opts)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { pw.CloseWithError(ctx.Err()) })
	go func() {
		defer cancel()
		defer stop()
		say(jsonstream.Message{Status: "Pulling from " + reference.Path(p.Named()), ID: tagOf(p.Named())})
		if _, err := p.Run(ctx); err != nil {
			say(jsonstream.Message{Error: &jsonstream.Error{Message: err.Error()}})
		} else {
			say(jsonstream.Message{Status: "Digest: " + p.Root().Digest.String()})
			say(jsonstream.Message{Status: "Status: Downloaded newer image for " + reference.FamiliarString(p.Named())})
		}
		_ = pw.Close()
	}()
	return &pullStream{ReadCloser: pr, cancel: cancel}, nil
}

func tagOf(named reference.Named) string {
	switch n := named.(type) {
	case reference.Tagged:
		return n.Tag()
	case reference.Digested:
		return n.Digest().String()
	}
	return "latest"
}

func message(p images.Progress) jsonstream.Message {
	m := jsonstream.Message{Status: string(p.Stage), ID: short(p.Layer.Digest)}
	if p.Stage == images.Downloading {
		m.Progress = &jsonstream.Progress{Current: p.Current, Total: p.Total}
	}
	return m
}

func short(d digest.Digest) string { return d.Encoded()[:12] }

// credentials decodes X-Registry-Auth, as pack and docker write it.
func credentials(encoded string) (images.PullOptions, error) {
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
			return images.PullOptions{}, invalid("registry credentials are not readable")
		}
	}
	if auth.IdentityToken != "" {
		return images.PullOptions{Password: auth.IdentityToken}, nil
	}
	return images.PullOptions{Username: auth.Username, Password: auth.Password}, nil
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
