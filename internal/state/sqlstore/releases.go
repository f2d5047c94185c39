package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"slipway/internal/state"
)

// AddRelease records a release under the app's next version, which it returns
// in the release with the user who made it. after is the version that the caller
// saw as the newest (0 for none): if another has come since, nothing is recorded
// and the error is [state.ErrMoved]. The first release with a process "web" gets
// it one dyno.
func (s *Store) AddRelease(ctx context.Context, by state.Actor, rel state.Release, after int) (state.Release, error) {
	err := state.CheckConfig(rel.Config)
	if err == nil {
		rel.User, rel.Created = by.User, stamp(rel.Created)
		err = s.change(ctx, by, rel.App, "release.create", func(tx session, appID string) (string, error) {
			if err := s.addRelease(ctx, tx, appID, &rel, after); err != nil {
				return "", err
			}
			return rel.Tag() + ": " + rel.Description, tx.startWeb(ctx, appID, rel.Processes)
		})
	}
	if err != nil {
		return state.Release{}, fmt.Errorf("record release of %s: %w", rel.App, err)
	}
	return rel, nil
}

func (s *Store) addRelease(ctx context.Context, tx session, appID string, rel *state.Release, after int) error {
	// Only now, holding the app: what a statement reads beside the row that it
	// waits for may be older than that row.
	var newest int
	err := tx.one(ctx, []any{&newest}, "SELECT coalesce(max(version), 0) FROM releases WHERE app_id = ?", appID)
	if err != nil {
		return err
	}
	if newest != after {
		return state.ErrMoved
	}
	rel.Version = newest + 1
	processes, err := json.Marshal(rel.Processes)
	if err != nil {
		return fmt.Errorf("encode processes: %w", err)
	}
	config, err := s.sealConfig(appID, rel.Config)
	if err != nil {
		return err
	}
	err = tx.exec(ctx, `INSERT INTO releases
		(app_id, version, slug, size, commit_id, ref, old_commit, processes, config,
		language, language_version, by_user, description, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		appID, rel.Version, rel.Slug, rel.Size, rel.Commit, rel.Ref, rel.OldCommit, string(processes), config,
		rel.Language, rel.LanguageVersion, rel.User, rel.Description, rel.Created.UnixMicro())
	if err != nil {
		return err
	}
	return tx.exec(ctx, "UPDATE apps SET released_at = ? WHERE id = ?", rel.Created.UnixMicro(), appID)
}

// startWeb wants one dyno for the process "web", if no number was ever set.
func (s session) startWeb(ctx context.Context, appID string, processes []state.Process) error {
	if !slices.ContainsFunc(processes, func(p state.Process) bool { return p.Type == "web" }) {
		return nil
	}
	return s.exec(ctx, "INSERT INTO formations (app_id, type, quantity) VALUES (?, 'web', 1) ON CONFLICT DO NOTHING", appID)
}

// sealConfig encrypts config vars; none are no bytes.
func (s *Store) sealConfig(appID string, config map[string]string) ([]byte, error) {
	if len(config) == 0 {
		return []byte{}, nil
	}
	plain, err := json.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("encode config vars: %w", err)
	}
	return s.sealer.Seal(appID, plain), nil
}

// Releases lists the newest releases of an app, newest first; all of them if
// limit is 0.
func (s *Store) Releases(ctx context.Context, app string, limit int) ([]state.Release, error) {
	return s.releases(ctx, s.session, "WHERE apps.name = ? ORDER BY version DESC LIMIT ?", app, atMost(limit))
}

// ReleaseOf finds the newest release of an app whose slug was built from commit.
func (s *Store) ReleaseOf(ctx context.Context, app, commit string) (state.Release, error) {
	all, err := s.releases(ctx, s.session,
		"WHERE apps.name = ? AND commit_id = ? AND commit_id <> '' AND slug <> '' ORDER BY version DESC LIMIT 1", app, commit)
	return only(all, err, app, commit)
}

// Release finds a release of an app by its version.
func (s *Store) Release(ctx context.Context, app string, version int) (state.Release, error) {
	all, err := s.releases(ctx, s.session, "WHERE apps.name = ? AND version = ?", app, version)
	return only(all, err, app, fmt.Sprintf("v%d", version))
}

// only is the only release found, or says which was not.
func only(all []state.Release, err error, app, which string) (state.Release, error) {
	if err != nil {
		return state.Release{}, err
	}
	if len(all) == 0 {
		return state.Release{}, fmt.Errorf("release %s of %s: %w", which, app, state.ErrNotFound)
	}
	return all[0], nil
}

const selectReleases = `SELECT apps.id, apps.name, version, slug, size, commit_id, ref, old_commit, processes, config,
	language, language_version, by_user, description, releases.created_at
	FROM releases JOIN apps ON apps.id = releases.app_id `

func (s *Store) releases(ctx context.Context, on session, where string, args ...any) ([]state.Release, error) {
	all, err := list(ctx, on, s.scanRelease, selectReleases+where, args...)
	if err != nil {
		return nil, fmt.Errorf("list releases: %w", err)
	}
	return all, nil
}

func (s *Store) scanRelease(row scanner) (rel state.Release, err error) {
	var appID, processes string
	var config []byte
	var created int64
	err = row.Scan(&appID, &rel.App, &rel.Version, &rel.Slug, &rel.Size, &rel.Commit, &rel.Ref, &rel.OldCommit, &processes, &config,
		&rel.Language, &rel.LanguageVersion, &rel.User, &rel.Description, &created)
	if err != nil {
		return state.Release{}, err
	}
	rel.Created = fromUnix(created)
	if err := json.Unmarshal([]byte(processes), &rel.Processes); err != nil {
		return state.Release{}, fmt.Errorf("decode processes of %s %s: %w", rel.App, rel.Tag(), err)
	}
	plain, err := s.sealer.Open(appID, config)
	if err == nil && len(plain) > 0 {
		err = json.Unmarshal(plain, &rel.Config)
	}
	if err != nil {
		return state.Release{}, fmt.Errorf("read config vars of %s %s: %w", rel.App, rel.Tag(), err)
	}
	return rel, nil
}
