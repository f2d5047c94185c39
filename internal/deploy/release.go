package deploy

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"slipway/gitserver"
	"slipway/internal/state"
)

// untagTimeout bounds the removal of a tag after the push itself has ended.
const untagTimeout = 30 * time.Second

// releaser returns what records the release, once the refs are locked.
//
// The order is what makes a crash harmless. First the tag of the new version,
// which names nothing yet that anybody looks for; then the record, which is the
// moment the push stands; then the tag "latest", which [Deployer.Recover] sets
// again if it is missing. The refs move after that: Recover finishes them too.
func (d *Deployer) releaser(p *push, s slug) gitserver.CommitFunc {
	return func(ctx context.Context) error {
		defer s.hold()
		started := time.Now()
		p.out.step("Launching...")
		rel := state.Release{
			App: p.Repo, Version: p.current.Version + 1, Slug: s.digest, Size: s.size,
			Commit: p.command.New.String(), Ref: p.command.Ref, OldCommit: p.command.Old.String(),
			Processes: s.processes, Language: s.language, LanguageVersion: s.version, Created: time.Now().UTC(),
			Description: fmt.Sprintf("Deploy %.8s", p.command.New.String()),
		}
		err := d.cfg.Slugs.Tag(ctx, p.Repo, rel.Tag(), s.digest)
		if err == nil {
			rel, err = d.cfg.Releases.AddRelease(ctx, state.Actor{User: p.User}, rel, p.current.Version)
		}
		if err != nil {
			return d.reject(ctx, p, err)
		}
		if err := d.cfg.Slugs.Tag(ctx, p.Repo, "latest", s.digest); err != nil {
			p.log.Error("latest tag not moved: it will be at the next start", zap.Error(err))
		}
		if s.tag != "" {
			d.untag(ctx, p, s.tag)
		}
		p.out.detail("Released v%d", rel.Version)
		p.out.detail("%s deployed to Slipway", d.cfg.Image(p.Repo, rel.Tag()))
		p.out.text("\nVerifying deploy... done.\n")
		p.log.Info("release recorded", zap.Int("release", rel.Version), zap.String("slug", rel.Slug),
			zap.Duration("took", time.Since(started)))
		return nil
	}
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
