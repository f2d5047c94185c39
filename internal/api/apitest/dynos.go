package apitest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"slipway/internal/api"
	"slipway/internal/dyno"
	"slipway/internal/state"
)

// Dynos is a list of dynos, of which none runs anything.
type Dynos struct {
	// Running is what a one-off dyno does.
	Running func(ctx context.Context, t dyno.Terminal) (dyno.Exit, error)
	// Hours is the quota.
	Hours dyno.Quota
	// Refuse is the error of every change, if it is not nil.
	Refuse error

	mu      sync.Mutex
	all     []dyno.Dyno
	oneOffs []dyno.OneOff
	done    []string // "restart web.1", "stop run.1000"
}

var _ api.Dynos = (*Dynos)(nil)

// Add lists a dyno.
func (d *Dynos) Add(all ...dyno.Dyno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, all...)
}

// Done lists what was done, "stop run.1000" say.
func (d *Dynos) Done() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.done)
}

// OneOffs lists the one-off dynos that were asked for.
func (d *Dynos) OneOffs() []dyno.OneOff {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.oneOffs)
}

// List lists an app's dynos.
func (d *Dynos) List(app string) []dyno.Dyno {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []dyno.Dyno
	for _, one := range d.all {
		if one.App == app {
			out = append(out, one)
		}
	}
	return out
}

// Restart notes that dynos are started again.
func (d *Dynos) Restart(_ context.Context, _ state.Actor, app, name string) error {
	return d.do("restart", app, name)
}

// Stop notes that dynos are stopped.
func (d *Dynos) Stop(_ context.Context, _ state.Actor, app, name string) error {
	return d.do("stop", app, name)
}

func (d *Dynos) do(what, app, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.Refuse != nil {
		return d.Refuse
	}
	found := name == ""
	for _, one := range d.all {
		found = found || (one.App == app && (one.Name == name || one.Type == name))
	}
	if !found {
		return fmt.Errorf("dyno %q: %w", name, dyno.ErrNotFound)
	}
	d.done = append(d.done, what+" "+name)
	return nil
}

// CreateOneOff lists run.1000, run.1001, ….
func (d *Dynos) CreateOneOff(_ context.Context, _ state.Actor, app string, o dyno.OneOff) (dyno.Dyno, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.Refuse != nil {
		return dyno.Dyno{}, d.Refuse
	}
	name := fmt.Sprintf("run.%d", 1000+len(d.oneOffs))
	one := dyno.Dyno{ID: uuid.NewString(), App: app, Name: name, Type: "run", Command: o.Command, State: dyno.Created, Since: time.Now(), Release: 1}
	d.oneOffs = append(d.oneOffs, o)
	d.all = append(d.all, one)
	return one, nil
}

// Attach does what Running says.
func (d *Dynos) Attach(ctx context.Context, _, _ string, t dyno.Terminal) (dyno.Exit, error) {
	if d.Running == nil {
		return dyno.Exit{}, errors.New("this test runs no dynos")
	}
	return d.Running(ctx, t)
}

// Quota is Hours.
func (d *Dynos) Quota(context.Context, string) (dyno.Quota, error) { return d.Hours, nil }

// SetState brings a dyno into another state.
func (d *Dynos) SetState(name string, state dyno.State) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.all {
		if d.all[i].Name == name {
			d.all[i].State = state
		}
	}
}
