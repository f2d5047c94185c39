package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"slipway/internal/state"
	"slipway/slugs"
)

// SetConfig changes config vars, and makes the release that has them. A nil
// value takes a var away. It runs the release phase, so it may take minutes; its
// failure is a [*PhaseError]. Where nothing changes, the newest release is
// returned and none is made.
func (d *Deployer) SetConfig(ctx context.Context, by state.Actor, app string, changes map[string]*string) (state.Release, error) {
	unlock, err := d.changing.Lock(ctx, app)
	if err != nil {
		return state.Release{}, err
	}
	defer unlock()
	newest, err := d.newestOf(ctx, app)
	if err != nil {
		return newest, err
	}
	config, description := changed(newest.Config, changes)
	if description == "" {
		return newest, nil
	}
	if err := state.CheckConfig(config); err != nil {
		return newest, err
	}
	next := again(newest)
	next.Config, next.Description = config, description
	return d.releaseChange(ctx, by, next, func(newest state.Release, rel *state.Release) error {
		// A push may have come in between: its slug with these config vars.
		begun := *rel
		*rel = again(newest)
		rel.App, rel.User, rel.Created, rel.Description = app, begun.User, begun.Created, begun.Description
		rel.Config, _ = changed(newest.Config, changes)
		return state.CheckConfig(rel.Config)
	})
}

// releaseChange runs the release phase of a release that no push makes, and
// records it.
func (d *Deployer) releaseChange(ctx context.Context, by state.Actor, next state.Release, fill func(newest state.Release, rel *state.Release) error) (state.Release, error) {
	phase, err := d.releasePhase(ctx, next, io.Discard)
	if err != nil {
		return state.Release{}, err
	}
	defer phase.discard()
	rel, err := d.addRelease(ctx, by, next, fill)
	if err == nil {
		phase.keep(rel)
	}
	return rel, err
}

// again is what the release after rel has of it.
func again(rel state.Release) state.Release {
	return state.Release{
		App: rel.App, Version: rel.Version + 1, Slug: rel.Slug, Size: rel.Size, Commit: rel.Commit,
		Processes: rel.Processes, Config: rel.Config, Language: rel.Language, LanguageVersion: rel.LanguageVersion,
	}
}

// changed applies changes, and says in words what they are; "" if there are none.
func changed(config map[string]string, changes map[string]*string) (map[string]string, string) {
	config = maps.Clone(config)
	if config == nil {
		config = make(map[string]string)
	}
	var set, unset []string
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		value := changes[name]
		old, had := config[name]
		switch {
		case value == nil && had:
			delete(config, name)
			unset = append(unset, name)
		case value != nil && (!had || old != *value):
			config[name] = *value
			set = append(set, name)
		}
	}
	var words []string
	if len(set) > 0 {
		words = append(words, "Set "+names(set)+" config vars")
	}
	if len(unset) > 0 {
		words = append(words, "Remove "+names(unset)+" config vars")
	}
	return config, strings.Join(words, ", ")
}

// shownNames is how many config vars a release's description names.
const shownNames = 10

func names(list []string) string {
	if n := len(list) - shownNames; n > 0 {
		return strings.Join(list[:shownNames], ", ") + fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(list, ", ")
}

// newestOf is newest with the app's name in it, also where it has no release.
func (d *Deployer) newestOf(ctx context.Context, app string) (state.Release, error) {
	rel, err := d.newest(ctx, app)
	rel.App = app
	return rel, err
}

// Rollback makes a new release with the slug, config vars and process types of
// an old one. It runs the release phase; its failure is a [*PhaseError].
func (d *Deployer) Rollback(ctx context.Context, by state.Actor, app string, version int) (state.Release, error) {
	unlock, err := d.changing.Lock(ctx, app)
	if err != nil {
		return state.Release{}, err
	}
	defer unlock()
	defer d.hold(ctx)()
	old, err := d.withSlug(ctx, app, version)
	if err != nil {
		return old, fmt.Errorf("roll back to v%d: %w", version, err)
	}
	newest, err := d.newestOf(ctx, app)
	if err != nil {
		return newest, err
	}
	if old.Version == newest.Version {
		return newest, fmt.Errorf("roll back to v%d: %w", version, ErrCurrent)
	}
	next := again(old)
	next.Description = fmt.Sprintf("Rollback to v%d", version)
	return d.releaseChange(ctx, by, next, func(state.Release, *state.Release) error { return nil })
}

// Reuse makes a new release with the slug and process types of an old one, which
// may be the newest, and the newest config vars. It runs the release phase; its
// failure is a [*PhaseError].
func (d *Deployer) Reuse(ctx context.Context, by state.Actor, app string, version int, description string) (state.Release, error) {
	unlock, err := d.changing.Lock(ctx, app)
	if err != nil {
		return state.Release{}, err
	}
	defer unlock()
	defer d.hold(ctx)()
	old, err := d.withSlug(ctx, app, version)
	if err != nil {
		return old, fmt.Errorf("release the slug of v%d again: %w", version, err)
	}
	newest, err := d.newestOf(ctx, app)
	if err != nil {
		return newest, err
	}
	next := again(old)
	next.Config, next.Description = newest.Config, description
	return d.releaseChange(ctx, by, next, keepConfig) // a push may come in between
}

// withSlug finds a release whose image is still there.
func (d *Deployer) withSlug(ctx context.Context, app string, version int) (state.Release, error) {
	rel, err := d.cfg.Releases.Release(ctx, app, version)
	if err != nil {
		return rel, err
	}
	if rel.Slug == "" {
		return rel, ErrNoSlug
	}
	_, err = d.cfg.Slugs.Resolve(ctx, app, rel.Slug)
	if errors.Is(err, slugs.ErrNotFound) {
		err = ErrSwept
	}
	return rel, err
}

// Scale sets how many dynos of process types are wanted.
func (d *Deployer) Scale(ctx context.Context, by state.Actor, app string, formation []state.Formation) error {
	newest, err := d.newestOf(ctx, app)
	if err != nil {
		return err
	}
	words := make([]string, 0, len(formation))
	for _, f := range formation {
		known := slices.ContainsFunc(newest.Processes, func(p state.Process) bool { return p.Type == f.Type })
		if !known || f.Type == releaseProcess {
			return fmt.Errorf("%w: %q (%w)", ErrNoProcess, f.Type, state.ErrNotFound)
		}
		words = append(words, fmt.Sprintf("%s@%d", f.Type, f.Quantity))
	}
	if err := d.cfg.Formations.SetFormation(ctx, by, app, formation); err != nil {
		return err
	}
	d.say(app, "Scaled to "+strings.Join(words, " ")+" by user "+by.User)
	d.cfg.Dynos.Released(app)
	return nil
}
