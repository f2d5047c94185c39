package api

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"slipway/internal/dyno"
	"slipway/internal/state"
	"slipway/internal/wire"
)

func (a *api) listDynos(r *http.Request, _ state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	all := a.Dynos.List(app.Name)
	out := make([]wire.Dyno, 0, len(all))
	for _, d := range all {
		out = append(out, wireDyno(app, d))
	}
	return http.StatusOK, out, nil
}

func (a *api) showDyno(r *http.Request, _ state.Actor) (int, any, error) {
	app, d, err := a.findDyno(r)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, wireDyno(app, d), nil
}

const (
	maxCommand = 32 << 10 // bytes
	maxEnv     = 32 << 10 // bytes, names and values
)

func (a *api) createDyno(r *http.Request, by state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	var req wire.DynoCreate
	if err := read(r, &req); err != nil {
		return 0, nil, err
	}
	o, err := oneOff(req)
	if err != nil {
		return 0, nil, err
	}
	d, err := a.Dynos.CreateOneOff(r.Context(), by, app.Name, o)
	if err != nil {
		return 0, nil, err
	}
	out := wireDyno(app, d)
	if o.Attach {
		address := a.attachURL(r, req, o, app.Name, d.Name)
		out.AttachURL = &address
	}
	return http.StatusCreated, out, nil
}

// attachURL is where a client attaches to a one-off dyno: by the way that Heroku
// has, unless it asks for a WebSocket.
func (a *api) attachURL(r *http.Request, req wire.DynoCreate, o dyno.OneOff, app, name string) string {
	if !a.Rendezvous || req.AttachBy == wire.WebSocket {
		return "ws" + strings.TrimPrefix(a.self(r), "http") + "/apps/" + app + "/dynos/" + url.PathEscape(name) + "/attach"
	}
	secret := a.meetings.add(meeting{app: app, dyno: name, tty: o.TTY, shown: o.Size.Columns > 0}, time.Now())
	scheme, host, _ := strings.Cut(a.self(r), "://")
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(strings.Trim(host, "[]"), map[string]string{"http": "80", "https": "443"}[scheme])
	}
	return "rendezvous://" + host + "/" + secret
}

// oneOff checks what is asked for. The terminal's size comes as Heroku's client
// sends it, as COLUMNS and LINES.
func oneOff(req wire.DynoCreate) (dyno.OneOff, error) {
	if req.AttachBy != "" && req.AttachBy != wire.WebSocket {
		return dyno.OneOff{}, invalid(`%.20q is no way to attach: send %q as "attach_by", or leave it out`, req.AttachBy, wire.WebSocket)
	}
	switch {
	case strings.TrimSpace(req.Command) == "":
		return dyno.OneOff{}, invalid(`there is no command to run: send it as "command"`)
	case len(req.Command) > maxCommand, strings.Contains(req.Command, "\x00"):
		return dyno.OneOff{}, invalid("the command is longer than %d bytes, or has a NUL: put it into a file of the app", maxCommand)
	}
	total := 0
	for name, value := range req.Env {
		total += len(name) + len(value)
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00") {
			return dyno.OneOff{}, invalid(`%.40q cannot be set in the environment: a name has no "=", and nothing has a NUL`, name)
		}
	}
	if total > maxEnv {
		return dyno.OneOff{}, invalid("the environment has %d bytes, want at most %d: pass less", total, maxEnv)
	}
	o := dyno.OneOff{Command: req.Command, Env: req.Env, Attach: req.Attach != nil && *req.Attach}
	o.TTY = o.Attach && (req.NoTTY == nil || !*req.NoTTY)
	if o.TTY {
		o.Size = dyno.Size{Columns: characters(req.Env["COLUMNS"]), Rows: characters(req.Env["LINES"])}
		// Programs would believe these, and not the terminal when it is resized.
		delete(o.Env, "COLUMNS")
		delete(o.Env, "LINES")
	}
	return o, nil
}

// characters reads a side of a terminal; what is no number is 0, the default.
func characters(text string) uint16 {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0
	}
	return uint16(n)
}

func (a *api) restartAll(r *http.Request, by state.Actor) (int, any, error) {
	return a.actOn(r, by, "", a.Dynos.Restart)
}

func (a *api) restartType(r *http.Request, by state.Actor) (int, any, error) {
	return a.actOn(r, by, r.PathValue("type"), a.Dynos.Restart)
}

func (a *api) stopType(r *http.Request, by state.Actor) (int, any, error) {
	return a.actOn(r, by, r.PathValue("type"), a.Dynos.Stop)
}

func (a *api) restartDyno(r *http.Request, by state.Actor) (int, any, error) {
	return a.actOn(r, by, r.PathValue("dyno"), a.Dynos.Restart)
}

func (a *api) stopDyno(r *http.Request, by state.Actor) (int, any, error) {
	return a.actOn(r, by, r.PathValue("dyno"), a.Dynos.Stop)
}

// actOn does something to a dyno, by name or ID, to a type, or to all.
func (a *api) actOn(r *http.Request, by state.Actor, name string, do func(ctx context.Context, by state.Actor, app, name string) error) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	for _, d := range a.Dynos.List(app.Name) {
		if d.ID == name && d.ID != "" {
			name = d.Name
		}
	}
	if err := do(r.Context(), by, app.Name, name); err != nil {
		return 0, nil, err
	}
	return http.StatusAccepted, struct{}{}, nil
}

func (a *api) findDyno(r *http.Request) (state.App, dyno.Dyno, error) {
	app, err := a.find(r)
	if err != nil {
		return app, dyno.Dyno{}, err
	}
	name := r.PathValue("dyno")
	for _, d := range a.Dynos.List(app.Name) {
		if d.Name == name || d.ID == name {
			return app, d, nil
		}
	}
	return app, dyno.Dyno{}, fmt.Errorf("dyno %.40q: %w", name, dyno.ErrNotFound)
}

func (a *api) showQuota(r *http.Request, _ state.Actor) (int, any, error) {
	app, err := a.find(r)
	if err != nil {
		return 0, nil, err
	}
	q, err := a.Dynos.Quota(r.Context(), app.Name)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, wire.Quota{Quota: int64(q.Limit.Seconds()), Used: int64(q.Used.Seconds()), App: int64(q.App.Seconds())}, nil
}

// self is where the client reaches this server.
func (a *api) self(r *http.Request) string {
	switch {
	case a.URL != "":
		return strings.TrimRight(a.URL, "/")
	case r.TLS != nil:
		return "https://" + r.Host
	default:
		return "http://" + r.Host
	}
}

func wireDyno(app state.App, d dyno.Dyno) wire.Dyno {
	return wire.Dyno{
		ID: d.ID, Name: d.Name, Type: d.Type, Command: d.Command, State: string(d.State), Size: wire.Size,
		App: refTo(app), Release: wire.Ref{ID: idOf(app, "release", strconv.Itoa(d.Release)), Version: d.Release},
		CreatedAt: d.Since, UpdatedAt: d.Since,
	}
}
