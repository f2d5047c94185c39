package apitest

import (
	"context"
	"fmt"
	"maps"
	"time"

	"slipway/internal/api"
	"slipway/internal/state"
	"slipway/internal/state/sqlstore"
)

// Deploys makes releases in the store, and starts nothing.
type Deploys struct {
	// Refuse is the error of every change, if it is not nil.
	Refuse error
	store  *sqlstore.Store
}

var _ api.Deploys = (*Deploys)(nil)

// SetConfig adds a release with the config vars changed.
func (d *Deploys) SetConfig(ctx context.Context, by state.Actor, app string, changes map[string]*string) (state.Release, error) {
	newest, err := d.store.Releases(ctx, app, 1)
	if err != nil {
		return state.Release{}, err
	}
	rel := state.Release{App: app}
	if len(newest) > 0 {
		rel = newest[0]
	}
	config := maps.Clone(rel.Config)
	if config == nil {
		config = map[string]string{}
	}
	for name, value := range changes {
		if value == nil {
			delete(config, name)
		} else {
			config[name] = *value
		}
	}
	after := rel.Version
	rel.Config, rel.Description = config, "Set config vars"
	return d.add(ctx, by, rel, after)
}

// Rollback adds a release that is like an old one.
func (d *Deploys) Rollback(ctx context.Context, by state.Actor, app string, version int) (state.Release, error) {
	newest, err := d.store.Releases(ctx, app, 1)
	if err != nil {
		return state.Release{}, err
	}
	rel, err := d.store.Release(ctx, app, version)
	if err != nil {
		return state.Release{}, err
	}
	rel.Description = fmt.Sprintf("Rollback to v%d", version)
	return d.add(ctx, by, rel, newest[0].Version)
}

// Reuse adds a release that has the slug of an old one.
func (d *Deploys) Reuse(ctx context.Context, by state.Actor, app string, version int, description string) (state.Release, error) {
	newest, err := d.store.Releases(ctx, app, 1)
	if err != nil {
		return state.Release{}, err
	}
	rel, err := d.store.Release(ctx, app, version)
	if err != nil {
		return state.Release{}, err
	}
	rel.Config, rel.Description = newest[0].Config, description
	return d.add(ctx, by, rel, newest[0].Version)
}

func (d *Deploys) add(ctx context.Context, by state.Actor, rel state.Release, after int) (state.Release, error) {
	if d.Refuse != nil {
		return state.Release{}, d.Refuse
	}
	rel.Created = time.Now()
	return d.store.AddRelease(ctx, by, rel, after)
}

// Scale keeps the formation.
func (d *Deploys) Scale(ctx context.Context, by state.Actor, app string, f []state.Formation) error {
	if d.Refuse != nil {
		return d.Refuse
	}
	return d.store.SetFormation(ctx, by, app, f)
}

// SetMaintenance records it.
func (d *Deploys) SetMaintenance(ctx context.Context, by state.Actor, app string, on bool) error {
	if d.Refuse != nil {
		return d.Refuse
	}
	return d.store.SetMaintenance(ctx, by, app, on)
}
