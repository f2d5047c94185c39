package deploy

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"slipway/gitserver"
	"slipway/internal/logs"
	"slipway/internal/state"
)

// untagTimeout bounds the removal of a tag after the push itself has ended.
const untagTimeout = 30 * time.Second

// readyToRelease runs the release phase, if the app has one, and returns what
// records the release once the refs are locked.
func (d *Deployer) readyToRelease(ctx context.Context, p *push, s slug) (gitserver.CommitFunc, error) {
	rel := p.begun()
	rel.Slug, rel.Size, rel.Processes = s.digest, s.size, s.processes
	rel.Language, rel.LanguageVersion, rel.Config = s.language, s.version, p.current.Config
	phase, err := d.releasePhase(ctx, rel, p.out)
	if err != nil {
		s.hold()
		if s.tag != "" {
			d.untag(ctx, p, s.tag)
		}
		return nil, err
	}
	// Where no ref can move, the function below is not called.
	context.AfterFunc(ctx, func() {
		p.record.abandoned(ctx)
		phase.discard()
	})
	return func(ctx context.Context) error {
		defer s.hold()
		if !p.record.mayRelease() {
			return d.reject(ctx, p, context.Canceled)
		}
		p.out.step("Launching...")
		recorded, err := d.addRelease(ctx, state.ActorAt(p.User, p.Remote), rel, keepConfig)
		if err != nil {
			return d.reject(ctx, p, err)
		}
		if s.tag != "" {
			d.untag(ctx, p, s.tag)
		}
		p.out.detail("Released v%d", recorded.Version)
		p.out.detail("%s deployed to Slipway", d.address(recorded))
		p.out.text("\nVerifying deploy... done.\n")
		phase.keep(recorded)
		p.record.succeeded(ctx, recorded)
		return nil
	}, nil
}

// address is where a release is found: on the web, if it has a web process.
func (d *Deployer) address(rel state.Release) string {
	for _, p := range rel.Processes {
		if p.Type == "web" {
			return d.cfg.WebURL(rel.App)
		}
	}
	return d.cfg.Image(rel.App, rel.Tag())
}

// keepConfig carries the config vars of the newest release over to the next.
func keepConfig(newest state.Release, rel *state.Release) error {
	rel.Config = newest.Config
	return nil
}

// addRelease makes a release the newest one. fill completes it from the newest so
// far, which may have come since the release was begun.
//
// The order is what makes a crash harmless. First the tag of the new version,
// which names nothing yet that anybody looks for; then the record, which is the
// moment the release stands; then the tag "latest", which [Deployer.Recover]
// sets again if it is missing. The refs of a push move after that: Recover
// finishes them too.
func (d *Deployer) addRelease(ctx context.Context, by state.Actor, rel state.Release, fill func(newest state.Release, rel *state.Release) error) (state.Release, error) {
	unlock, err := d.recording.Lock(ctx, rel.App)
	if err != nil {
		return rel, err
	}
	defer unlock()
	started := time.Now()
	newest, err := d.newest(ctx, rel.App)
	if err != nil {
		return rel, err
	}
	rel.Version, rel.User, rel.Created = newest.Version+1, by.User, started.UTC()
	if err := fill(newest, &rel); err != nil {
		return rel, err
	}
	if rel.Slug != "" {
		if err := d.cfg.Slugs.Tag(ctx, rel.App, rel.Tag(), rel.Slug); err != nil {
			return rel, err
		}
	}
	if rel, err = d.cfg.Releases.AddRelease(ctx, by, rel, newest.Version); err != nil {
		return rel, err
	}
	if rel.Slug != "" {
		if err := d.cfg.Slugs.Tag(ctx, rel.App, "latest", rel.Slug); err != nil {
			d.log.Error("latest tag not moved: it will be at the next start", zap.String("app", rel.App), zap.Error(err))
		}
	}
	d.log.Info("release recorded", zap.String("app", rel.App), zap.Int("release", rel.Version), zap.String("slug", rel.Slug),
		zap.Duration("took", time.Since(started)))
	d.say(rel.App, rel.Description+" by user "+by.User)
	d.say(rel.App, fmt.Sprintf("Release v%d created by user %s", rel.Version, by.User))
	d.cfg.Dynos.Released(rel.App)
	return rel, nil
}

// newest is the newest release of an app; its Version is 0 if there is none.
func (d *Deployer) newest(ctx context.Context, app string) (state.Release, error) {
	newest, err := d.cfg.Releases.Releases(ctx, app, 1)
	if err != nil || len(newest) == 0 {
		return state.Release{}, err
	}
	return newest[0], nil
}

// say writes a line of the control plane into an app's log.
func (d *Deployer) say(app, text string) {
	d.cfg.Logs.Append(app, logs.Line{At: time.Now(), Source: "slipway", Dyno: "api", Text: text})
}

// untag removes a build's own tag. It is done for cancelled pushes too, hence
// the context of its own; what it cannot remove, the next sweep does.
func (d *Deployer) untag(ctx context.Context, p *push, tag string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), untagTimeout)
	defer cancel()
	if err := d.cfg.Slugs.Untag(ctx, p.Repo, tag); err != nil {
		p.log.Warn("build tag left for the sweep", zap.Error(err))
	}
}
