package build

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"go.uber.org/zap"
)

var idPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// Build builds and publishes an image. The error is an [*Error] where there
// is something to tell the pusher. Nothing is left of the build when it
// returns but the published image and the app's cache. A canceled ctx ends it
// within two seconds; Progress must not block for longer than that once ctx
// is done.
func (b *Builder) Build(ctx context.Context, r Request) (*Result, error) {
	started := time.Now()
	j, err := b.newJob(r)
	if err != nil {
		return nil, err
	}
	deadline := started.Add(b.cfg.Timeout)
	bctx, cancel := context.WithDeadlineCause(ctx, deadline, ErrTimeout)
	defer cancel()
	res, err := j.run(bctx)
	phase, buildpacks, said := j.t.end()
	log := b.cfg.Log.With(zap.String("app", r.App), zap.String("build", r.ID), zap.Duration("took", time.Since(started)))
	if err != nil {
		if bctx.Err() == nil {
			j.t.fail(j.chosen())
		}
		err = b.explain(bctx, err, phase, said)
		log.Info("build failed", zap.String("phase", phase), zap.Error(err))
		return nil, err
	}
	res.Took, res.BuildpacksTook = time.Since(started), buildpacks
	res.Builder = j.builder
	log.Info("build done", zap.Duration("buildpacks_took", buildpacks), zap.String("slug", res.Digest))
	return res, nil
}

func (b *Builder) newJob(r Request) (*job, error) {
	switch {
	case !idPattern.MatchString(r.ID):
		return nil, fmt.Errorf("build: %q cannot be the ID of a build", r.ID)
	case !idPattern.MatchString(r.App):
		return nil, fmt.Errorf("build: %q cannot be an app", r.App)
	case r.Source == nil || r.Progress == nil:
		return nil, errors.New("build: source and progress are required")
	case !strings.HasPrefix(r.Image, b.cfg.Registry+"/"):
		return nil, fmt.Errorf("build: image %q is not in registry %s", r.Image, b.cfg.Registry)
	}
	builder, err := b.mayUse(firstOf(r.Builder, b.cfg.Builder), "The push asks for")
	if err != nil {
		return nil, err
	}
	for key := range r.Env {
		if !validEnv(key) {
			return nil, refuse(ErrRefused, "The config var %q cannot name an environment variable.", key)
		}
	}
	return &job{
		b: b, r: r, builder: builder,
		t:    newTranscript(r.Progress, r.Trace),
		keys: keychain{registry: b.cfg.Registry, user: r.User, token: r.Token, others: b.cfg.Keychain},
	}, nil
}

// explain turns any error of a build into the one that callers see.
func (b *Builder) explain(ctx context.Context, err error, phase string, said []string) error {
	var told *Error
	switch {
	case errors.Is(context.Cause(ctx), ErrTimeout):
		return &Error{
			Phase: phase, UserFault: true, Err: ErrTimeout,
			Text: fmt.Sprintf("The build took longer than %s and was stopped.", b.cfg.Timeout),
		}
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", ErrCanceled, context.Cause(ctx))
	case errors.As(err, &told):
		if told.Phase == "" {
			told.Phase = phase
		}
		return err
	}
	return failure(err, phase, said, b.cfg.Memory)
}
