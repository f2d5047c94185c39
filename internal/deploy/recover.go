package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"go.uber.org/zap"

	"slipway/gitserver"
	"slipway/internal/state"
	"slipway/slugs"
)

// Recover finishes what a crash interrupted: refs of recorded releases that did
// not move, tags that were not set, tags of releases that were not recorded.
// Builds that were going on are recorded as failed, or as what their release
// says. It must be called before pushes are served.
func (d *Deployer) Recover(ctx context.Context, repos Repositories) error {
	if err := d.cfg.Builds.SettleBuilds(ctx); err != nil {
		return err
	}
	apps, err := d.cfg.Releases.Apps(ctx)
	if err != nil {
		return err
	}
	for _, app := range apps {
		if err := d.recoverApp(ctx, repos, app.Name); err != nil {
			return fmt.Errorf("recover %s: %w", app.Name, err)
		}
	}
	return nil
}

func (d *Deployer) recoverApp(ctx context.Context, repos Repositories, app string) error {
	newest, err := d.cfg.Releases.Releases(ctx, app, recentReleases)
	if err != nil {
		return err
	}
	version := 0
	if len(newest) > 0 {
		version = newest[0].Version
		if err := d.finish(ctx, repos, newest); err != nil {
			return err
		}
	}
	tags, err := d.cfg.Slugs.Tags(ctx, app)
	if err != nil {
		return err
	}
	for _, tag := range tags {
		n, isVersion := versionOf(tag)
		if strings.HasPrefix(tag, "build-") || isVersion && n > version {
			if err := d.cfg.Slugs.Untag(ctx, app, tag); err != nil {
				return err
			}
		}
	}
	return nil
}

// recentReleases is among how many releases the one of the last push is looked
// for: config vars can have been set in the instant in which its ref moved.
const recentReleases = 5

// finish does for recorded releases, newest first, what would have been done
// next.
func (d *Deployer) finish(ctx context.Context, repos Repositories, recent []state.Release) error {
	if err := d.finishTag(ctx, recent[0]); err != nil {
		return err
	}
	pushed := slices.IndexFunc(recent, func(rel state.Release) bool { return rel.Ref != "" })
	if pushed < 0 || !repos.RepositoryExists(recent[0].App) {
		return nil
	}
	rel := recent[pushed]
	err := repos.FinishRef(ctx, rel.App, rel.Ref, plumbing.NewHash(rel.OldCommit), plumbing.NewHash(rel.Commit))
	if errors.Is(err, gitserver.ErrConflict) {
		return nil // the ref was moved on since, by a push that deployed nothing new
	}
	return err
}

func (d *Deployer) finishTag(ctx context.Context, rel state.Release) error {
	if rel.Slug == "" {
		return nil
	}
	if img, err := d.cfg.Slugs.Resolve(ctx, rel.App, "latest"); err != nil || img.Digest != rel.Slug {
		err := d.cfg.Slugs.Tag(ctx, rel.App, "latest", rel.Slug)
		if errors.Is(err, slugs.ErrNotFound) {
			d.log.Warn("slug of the current release is gone: push again", zap.String("app", rel.App), zap.String("slug", rel.Slug))
		} else if err != nil {
			return err
		}
	}
	return nil
}

// versionOf reads the release's number out of a tag such as v7.
func versionOf(tag string) (int, bool) {
	digits, ok := strings.CutPrefix(tag, "v")
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil
}

// Destroy removes an app with its repository, build cache, releases and images.
func (d *Deployer) Destroy(ctx context.Context, repos Repositories, by state.Actor, app string) error {
	if err := repos.RemoveRepository(ctx, app); err != nil {
		return err
	}
	if err := d.cfg.Releases.DeleteApp(ctx, by, app); err != nil {
		return err
	}
	// After the record, so that nothing starts them again.
	if err := d.cfg.Dynos.Removed(ctx, app); err != nil {
		return err
	}
	tags, err := d.cfg.Slugs.Tags(ctx, app)
	if err != nil {
		return err
	}
	for _, tag := range tags {
		if err := d.cfg.Slugs.Untag(ctx, app, tag); err != nil {
			return err
		}
	}
	if err := d.cfg.Builder.ForgetCache(ctx, app); err != nil {
		return err
	}
	if err := d.cfg.Outputs.Remove(app); err != nil {
		return err
	}
	d.log.Info("app destroyed", zap.String("app", app))
	return d.cfg.Logs.Remove(app)
}

// Sweep reclaims the disk of images that no release needs: those of failed
// builds, of removed apps, and of releases older than the newest keep (all are
// kept if keep is 0). The builder's images stay if wanted says so.
func (d *Deployer) Sweep(ctx context.Context, keep int, wanted func(repository, tag string) bool) error {
	apps, err := d.cfg.Releases.Apps(ctx)
	if err != nil {
		return err
	}
	keepers := map[string]bool{}
	for _, app := range apps {
		all, err := d.cfg.Releases.Releases(ctx, app.Name, keep)
		if err != nil {
			return err
		}
		for _, rel := range all {
			keepers[app.Name+":"+rel.Tag()] = true
		}
		keepers[app.Name+":latest"] = len(all) > 0 && all[0].Slug != ""
	}
	return d.cfg.Slugs.Sweep(ctx, func(repository, tag string) bool {
		return keepers[repository+":"+tag] || wanted(repository, tag)
	})
}
