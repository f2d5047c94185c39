package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"slipway/internal/state"
)

// AddRelease records a release under the app's next version, which it returns
// in the release. after is the version that the caller saw as the newest (0 for
// none): if another has come since, nothing is recorded and the error is
// [state.ErrMoved].
func (s *Store) AddRelease(ctx context.Context, rel state.Release, after int) (state.Release, error) {
	processes, err := json.Marshal(rel.Processes)
	if err != nil {
		return state.Release{}, fmt.Errorf("encode processes: %w", err)
	}
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		var appID string
		var newest int
		err := tx.QueryRowContext(ctx, `SELECT id, (SELECT coalesce(max(version), 0) FROM releases WHERE app_id = apps.id)
			FROM apps WHERE name = ?`, rel.App).Scan(&appID, &newest)
		if err != nil {
			return translate(err)
		}
		if newest != after {
			return state.ErrMoved
		}
		rel.Version = newest + 1
		_, err = tx.ExecContext(ctx, `INSERT INTO releases
			(app_id, version, slug, size, commit_id, ref, old_commit, processes,
			language, language_version, user, description, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			appID, rel.Version, rel.Slug, rel.Size, rel.Commit, rel.Ref, rel.OldCommit, string(processes),
			rel.Language, rel.LanguageVersion, rel.User, rel.Description, rel.Created.UnixMicro())
		return err
	})
	if err != nil {
		return state.Release{}, fmt.Errorf("record release of %s: %w", rel.App, err)
	}
	return rel, nil
}

const selectReleases = `SELECT version, slug, size, commit_id, ref, old_commit, processes, language, language_version,
	user, description, releases.created_at FROM releases JOIN apps ON apps.id = app_id WHERE apps.name = ? `

// Releases lists the newest releases of an app, newest first; all of them if
// limit is 0.
func (s *Store) Releases(ctx context.Context, app string, limit int) ([]state.Release, error) {
	if limit == 0 {
		limit = -1 // SQLite: no limit
	}
	return s.releases(ctx, app, "ORDER BY version DESC LIMIT ?", limit)
}

// ReleaseOf finds the newest release of an app that was built from commit.
func (s *Store) ReleaseOf(ctx context.Context, app, commit string) (state.Release, error) {
	all, err := s.releases(ctx, app, "AND commit_id = ? ORDER BY version DESC LIMIT 1", commit)
	return one(all, err, app, commit)
}

// Release finds a release of an app by its version.
func (s *Store) Release(ctx context.Context, app string, version int) (state.Release, error) {
	all, err := s.releases(ctx, app, "AND version = ?", version)
	return one(all, err, app, fmt.Sprintf("v%d", version))
}

// one is the only release found, or says which was not.
func one(all []state.Release, err error, app, which string) (state.Release, error) {
	if err != nil {
		return state.Release{}, err
	}
	if len(all) == 0 {
		return state.Release{}, fmt.Errorf("release %s of %s: %w", which, app, state.ErrNotFound)
	}
	return all[0], nil
}

func (s *Store) releases(ctx context.Context, app, where string, arg any) ([]state.Release, error) {
	rows, err := s.db.QueryContext(ctx, selectReleases+where, app, arg)
	if err != nil {
		return nil, fmt.Errorf("list releases of %s: %w", app, err)
	}
	defer func() { _ = rows.Close() }()
	var all []state.Release
	for rows.Next() {
		rel := state.Release{App: app}
		var processes string
		var created int64
		err := rows.Scan(&rel.Version, &rel.Slug, &rel.Size, &rel.Commit, &rel.Ref, &rel.OldCommit, &processes,
			&rel.Language, &rel.LanguageVersion, &rel.User, &rel.Description, &created)
		if err != nil {
			return nil, fmt.Errorf("list releases of %s: %w", app, err)
		}
		if err := json.Unmarshal([]byte(processes), &rel.Processes); err != nil {
			return nil, fmt.Errorf("decode processes of %s v%d: %w", app, rel.Version, err)
		}
		rel.Created = fromUnix(created)
		all = append(all, rel)
	}
	return all, rows.Err()
}
