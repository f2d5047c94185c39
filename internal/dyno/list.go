package dyno

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// List lists an app's dynos by type and number, those that sleep included.
func (m *Manager) List(name string) []Dyno {
	a, err := m.loaded(m.ctx, name)
	if err != nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []Dyno
	for _, s := range a.slots {
		out = append(out, s.dyno())
	}
	if len(a.slots) == 0 {
		for name, p := range a.formation() {
			out = append(out, Dyno{
				ID: idAsleep(a.wanted.App.ID, name), App: a.name, Name: name, Type: p.Type, Command: p.Command,
				State: Idle, Since: a.since, Release: a.wanted.Release.Version,
			})
		}
	}
	for _, o := range a.oneOffs {
		out = append(out, o.dyno())
	}
	slices.SortFunc(out, func(x, y Dyno) int { return compareNames(x.Name, y.Name) })
	return out
}

// idAsleep is the ID of a dyno that does not run, always the same.
func idAsleep(appID, name string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(appID+"/asleep/"+name)).String()
}

// Knows tells whether there is an app of that name.
func (m *Manager) Knows(ctx context.Context, name string) bool {
	_, err := m.loaded(ctx, name)
	return err == nil
}

// compareNames sorts web.2 before web.10.
func compareNames(x, y string) int {
	kindX, numberX, _ := strings.Cut(x, ".")
	kindY, numberY, _ := strings.Cut(y, ".")
	if kindX != kindY {
		return strings.Compare(kindX, kindY)
	}
	nx, _ := strconv.Atoi(numberX) // our own names
	ny, _ := strconv.Atoi(numberY)
	return nx - ny
}

func (s *slot) dyno() Dyno {
	d := Dyno{
		ID: s.id, App: s.a.name, Name: s.name, Type: s.kind, Command: s.command,
		State: s.state, Since: s.since, Release: s.release.Version, Exit: s.exit,
	}
	if s.state == Crashed && time.Now().Before(s.retry) {
		d.Retry = s.retry
	}
	return d
}

func (o *oneOff) dyno() Dyno {
	return Dyno{
		ID: o.id, App: o.a.name, Name: o.name, Type: run, Command: o.opts.Command,
		State: o.state, Since: o.since, Release: o.release.Version,
	}
}

// Count tells how many dynos of the formations are in each state, for metrics.
func (m *Manager) Count() map[State]int {
	count := map[State]int{Starting: 0, Up: 0, Crashed: 0, Down: 0}
	for _, a := range m.running() {
		a.mu.Lock()
		for _, s := range a.slots {
			count[s.state]++
		}
		a.mu.Unlock()
	}
	return count
}
