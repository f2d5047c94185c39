package api

import (
	"net/http"
	"strings"

	"slipway/internal/state"
	"slipway/internal/wire"
)

func (a *api) listFormation(r *http.Request, _ state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	all, err := a.formation(r, app)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, all, nil
}

func (a *api) showFormation(r *http.Request, _ state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	all, err := a.formation(r, app)
	if err != nil {
		return 0, nil, err
	}
	for _, f := range all {
		if f.Type == r.PathValue("type") || f.ID == r.PathValue("type") {
			return http.StatusOK, f, nil
		}
	}
	return 0, nil, noType(all)
}

func (a *api) scaleOne(r *http.Request, by state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	var req wire.FormationUpdate
	if err := read(r, &req); err != nil {
		return 0, nil, err
	}
	req.Type = r.PathValue("type")
	all, err := a.scale(r, by, app, []wire.FormationUpdate{req})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, all[0], nil
}

func (a *api) scaleBatch(r *http.Request, by state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	var req wire.FormationBatch
	if err := read(r, &req); err != nil {
		return 0, nil, err
	}
	if len(req.Updates) == 0 {
		return 0, nil, invalid(`there is nothing to change: send {"updates": [{"type": "web", "quantity": 1}]}`)
	}
	all, err := a.scale(r, by, app, req.Updates)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, all, nil
}

// scale applies updates, and returns the process types that they name.
func (a *api) scale(r *http.Request, by state.Actor, app state.App, updates []wire.FormationUpdate) ([]wire.Formation, error) {
	// One at a time, so that two who add a dyno each add two.
	select {
	case a.scaling <- struct{}{}:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	defer func() { <-a.scaling }()
	all, err := a.formation(r, app)
	if err != nil {
		return nil, err
	}
	wanted, err := apply(all, updates)
	if err != nil {
		return nil, err
	}
	set := make([]state.Formation, 0, len(wanted))
	for _, f := range wanted {
		if f.Type == wire.ReleaseType {
			continue // of which there is never one
		}
		set = append(set, state.Formation{App: app.Name, Type: f.Type, Quantity: f.Quantity})
	}
	if len(set) == 0 {
		return wanted, nil
	}
	return wanted, a.Deploys.Scale(r.Context(), by, app.Name, set)
}

// apply returns what updates make of the process types that they name.
func apply(all []wire.Formation, updates []wire.FormationUpdate) ([]wire.Formation, error) {
	known := make(map[string]int, len(all))
	for i, f := range all {
		known[f.Type], known[f.ID] = i, i
	}
	var named []int
	touched := make([]bool, len(all))
	for _, u := range updates {
		i, found := known[u.Type]
		if !found {
			return nil, noType(all)
		}
		if err := mayApply(u, all[i]); err != nil {
			return nil, err
		}
		if u.Quantity != nil {
			q := u.Quantity.Of(all[i].Quantity)
			if q < 0 || q > state.MaxQuantity {
				return nil, invalid("%d dynos of %s: choose 0 to %d", q, all[i].Type, state.MaxQuantity)
			}
			all[i].Quantity = q
		}
		if !touched[i] {
			touched[i] = true
			named = append(named, i)
		}
	}
	out := make([]wire.Formation, 0, len(named))
	for _, i := range named {
		out = append(out, all[i])
	}
	return out, nil
}

// mayApply returns nil for an update of a process type that asks for what there
// is.
func mayApply(u wire.FormationUpdate, f wire.Formation) error {
	if len(u.DockerImage) > 0 {
		return invalid("Slipway takes no images for a process type: push the code with git push")
	}
	if f.Type == wire.ReleaseType && u.Quantity != nil && u.Quantity.Of(0) != 0 {
		return invalid("the process type %s runs once before each release, and is not scaled: scale another", wire.ReleaseType)
	}
	if err := checkSize(u.Size); err != nil {
		return err
	}
	return checkSize(u.DynoSize)
}

// formation lists the process types of the current release; of those that
// nobody has scaled, no dyno is wanted.
func (a *api) formation(r *http.Request, app state.App) ([]wire.Formation, error) {
	rel, err := a.current(r, app)
	if err != nil {
		return nil, err
	}
	rows, err := a.Settings.Formation(r.Context(), app.Name)
	if err != nil {
		return nil, err
	}
	wanted := make(map[string]int, len(rows))
	for _, f := range rows {
		wanted[f.Type] = f.Quantity
	}
	out := make([]wire.Formation, 0, len(rel.Processes))
	for _, p := range rel.Processes {
		out = append(out, wire.Formation{
			ID: idOf(app, "formation", p.Type), App: refTo(app), Type: p.Type, Command: p.Command,
			Quantity: wanted[p.Type], Size: wire.Size, DynoSize: dynoSize(),
			CreatedAt: app.Created, UpdatedAt: rel.Created,
		})
	}
	return out, nil
}

// noType says that a process type does not exist, in Heroku's words first.
func noType(all []wire.Formation) error {
	text := "Couldn't find that process type. Nothing that names one was pushed yet: add it to the Procfile and push"
	if len(all) > 0 {
		var types []string
		for _, f := range all {
			types = append(types, f.Type)
		}
		text = "Couldn't find that process type. There is " + strings.Join(types, ", ") + ": add another to the Procfile and push"
	}
	return &wordsError{text: text, kind: state.ErrNotFound}
}
