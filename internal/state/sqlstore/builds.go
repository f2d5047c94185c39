package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"slipway/internal/state"
)

// AddBuild records a pending build and returns it with its ID and the user who
// made it.
func (s *Store) AddBuild(ctx context.Context, by state.Actor, b state.Build) (state.Build, error) {
	b.ID, b.Status, b.User, b.Created = uuid.NewString(), state.BuildPending, by.User, stamp(b.Created)
	b.Slug, b.Release, b.Updated = "", 0, b.Created
	err := s.change(ctx, by, b.App, "build.create", func(tx session, appID string) (string, error) {
		return b.ID, tx.exec(ctx, `INSERT INTO builds
			(id, app_id, commit_id, ref, status, by_user, slug, version, source, created_at, updated_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			b.ID, appID, b.Commit, b.Ref, b.Status, b.User, b.Slug, b.Release, b.Source,
			b.Created.UnixMicro(), b.Updated.UnixMicro())
	})
	if err != nil {
		return state.Build{}, fmt.Errorf("record build of %s: %w", b.App, err)
	}
	return b, nil
}

// EndBuild records how a pending build ended. [state.ErrNotFound] says that it
// has ended already, or went with its app.
func (s *Store) EndBuild(ctx context.Context, id, status, slug string, release int) error {
	err := state.CheckBuildEnd(status)
	if err == nil {
		err = s.execOne(ctx, "UPDATE builds SET status = ?, slug = ?, version = ?, updated_at = ? WHERE id = ? AND status = ?",
			status, slug, release, time.Now().UnixMicro(), id, state.BuildPending)
	}
	if err != nil {
		return fmt.Errorf("record the end of build %.80q: %w", id, err)
	}
	return nil
}

// released finds the release that a push made of a pending build's commit. Those
// of changed config vars and of rollbacks have no reference.
const released = `FROM releases WHERE releases.app_id = builds.app_id AND releases.commit_id = builds.commit_id
	AND releases.ref <> '' AND releases.created_at >= builds.created_at`

// SettleBuilds ends all builds that have not ended: with success those whose
// release is recorded, the others with failure. Call it when none can be running:
// at the start, for what a crash left.
func (s *Store) SettleBuilds(ctx context.Context) error {
	now := time.Now().UnixMicro()
	err := s.inTx(ctx, func(tx session) error {
		err := tx.exec(ctx, `UPDATE builds SET status = ?, updated_at = ?,
			slug = (SELECT releases.slug `+released+` ORDER BY releases.version LIMIT 1),
			version = (SELECT releases.version `+released+` ORDER BY releases.version LIMIT 1)
			WHERE status = 'pending' AND EXISTS (SELECT 1 `+released+`)`, state.BuildSucceeded, now)
		if err != nil {
			return err
		}
		return tx.exec(ctx, "UPDATE builds SET status = ?, updated_at = ? WHERE status = 'pending'", state.BuildFailed, now)
	})
	if err != nil {
		return fmt.Errorf("end the builds that were running: %w", err)
	}
	return nil
}

const selectBuilds = `SELECT builds.id, apps.name, commit_id, ref, status, by_user, slug, version, source,
	builds.created_at, builds.updated_at
	FROM builds JOIN apps ON apps.id = builds.app_id `

func scanBuild(row scanner) (b state.Build, err error) {
	var created, updated int64
	err = row.Scan(&b.ID, &b.App, &b.Commit, &b.Ref, &b.Status, &b.User, &b.Slug, &b.Release, &b.Source, &created, &updated)
	b.Created, b.Updated = fromUnix(created), fromUnix(updated)
	return b, err
}

// Builds lists the newest builds of an app, newest first; all of them if limit
// is 0.
func (s *Store) Builds(ctx context.Context, app string, limit int) ([]state.Build, error) {
	all, err := list(ctx, s.session, scanBuild,
		selectBuilds+"WHERE apps.name = ? ORDER BY builds.created_at DESC, builds.id DESC LIMIT ?", app, atMost(limit))
	if err != nil {
		return nil, fmt.Errorf("list builds: %w", err)
	}
	return all, nil
}

// Build finds a build of an app by its ID.
func (s *Store) Build(ctx context.Context, app, id string) (state.Build, error) {
	all, err := list(ctx, s.session, scanBuild, selectBuilds+"WHERE apps.name = ? AND builds.id = ?", app, id)
	if err == nil && len(all) == 0 {
		err = state.ErrNotFound
	}
	if err != nil {
		return state.Build{}, fmt.Errorf("build %.80q of %s: %w", id, app, err)
	}
	return all[0], nil
}
