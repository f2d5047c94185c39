package local

import (
	"context"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"
)

// Start runs process types until one of them ends, ctx is done or a signal comes,
// then ends the others. It returns after all of them are gone: with the exit code
// of the one that ended first, 0 after ctx or SIGINT, and 128 and its number after
// another signal. Without a Procfile it runs StartCommand, as [Run] does.
func Start(ctx context.Context, cfg Config) (int, error) {
	cfg = cfg.withDefaults()
	if cfg.StartCommand != "" {
		if !cfg.hasProcfile() && len(cfg.Types) == 0 {
			return cfg.startCommand(ctx)
		}
		newConsole(cfg).warn("The specified start command, %q, is being ignored.", cfg.StartCommand)
	}
	out := newConsole(cfg)
	all, vars, err := cfg.plan(out)
	if err != nil {
		return 1, err
	}
	g := &group{out: out, grace: cfg.Grace, signals: cfg.Signals, ended: make(chan *process, len(all))}
	for _, p := range all {
		out.width = max(out.width, len(p.name))
	}
	env := cfg.environment(vars)
	_, named := lookup(env, workerName)
	for _, p := range all {
		own := append(slices.Clip(env), fmt.Sprintf("PORT=%d", p.port))
		if !named {
			own = append(own, workerName+"="+p.name)
		}
		proc, err := start(ctx, p, own, cfg.Dir, out, g.ended)
		if err != nil {
			g.stop()
			return 1, err
		}
		g.all = append(g.all, proc)
	}
	return g.run(ctx), nil
}

// workerName is the variable by which Heroku's program tells a process its name.
const workerName = "FOREMAN_WORKER_NAME"

func (c Config) hasProcfile() bool {
	info, err := os.Stat(c.path(c.Procfile))
	return err == nil && info.Mode().IsRegular()
}

// plan reads the files and lists what is to be started.
func (c Config) plan(out *console) ([]planned, map[string]string, error) {
	have, err := c.processes(out)
	if err != nil {
		return nil, nil, err
	}
	asked, err := formation(c.Types, have)
	if err != nil {
		return nil, nil, err
	}
	vars, err := c.loadEnv(out)
	if err != nil {
		return nil, nil, err
	}
	port, err := c.firstPort(vars)
	if err != nil {
		return nil, nil, err
	}
	all, err := plan(asked, have, port, out)
	return all, vars, err
}

// A group is the processes that run together.
type group struct {
	out     *console
	grace   time.Duration
	signals <-chan os.Signal
	ended   chan *process
	all     []*process
}

// run waits for a reason to end, and ends everything.
func (g *group) run(ctx context.Context) int {
	exit := 0
	select {
	case p := <-g.ended:
		exit = code(p.cmd.ProcessState)
	case sig := <-g.signals:
		if number, ok := sig.(syscall.Signal); ok && number != syscall.SIGINT {
			exit = 128 + int(number)
		}
		g.out.warn("Interrupted by User")
	case <-ctx.Done():
		g.out.warn("Interrupted by User")
	case <-g.out.failed:
		exit = 1
	}
	g.stop()
	return exit
}

const (
	// glance is how often is looked whether something still runs.
	glance = 20 * time.Millisecond
	// afterlife is how long is waited for what a process has left behind, once
	// its own end has come and its output has ended.
	afterlife = 3 * time.Second
	// heldOpen is how long the output of a killed process may go on: what has
	// left its group can hold it open.
	heldOpen = 300 * time.Millisecond
)

// stop ends all processes, first in peace, and returns when they are gone.
func (g *group) stop() {
	adoptOrphans()
	g.out.done("Killing all processes with signal SIGTERM")
	for _, p := range g.all {
		p.signal(syscall.SIGTERM)
	}
	grace := time.NewTimer(g.grace)
	defer grace.Stop()
	for _, p := range g.all {
		if !g.leaves(p, grace) {
			g.out.warn("Killing all processes with signal SIGKILL")
			break
		}
	}
	for _, p := range g.all {
		p.signal(syscall.SIGKILL)
	}
	for _, p := range g.all {
		p.bury()
	}
}

// leaves waits until nothing of a process is left, unless time is up or somebody
// has no patience.
func (g *group) leaves(p *process, grace *time.Timer) bool {
	select {
	case <-p.gone:
	case <-grace.C:
		return false
	case <-g.signals:
		return false
	}
	look, late := time.NewTicker(glance), time.NewTimer(afterlife)
	defer look.Stop()
	defer late.Stop()
	for p.lingers() {
		select {
		case <-look.C:
		case <-late.C:
			return true
		case <-grace.C:
			return false
		case <-g.signals:
			return false
		}
	}
	return true
}

// bury waits for the end of a process that was killed, and of what it started.
func (p *process) bury() {
	<-p.exited
	late := time.NewTimer(heldOpen)
	defer late.Stop()
	select {
	case <-p.gone:
	case <-late.C:
		_ = p.out.Close() // ends the reading
		<-p.gone
		return
	}
	look := time.NewTicker(glance)
	defer look.Stop()
	for p.lingers() { // a kill takes a moment
		select {
		case <-look.C:
		case <-late.C:
			return
		}
	}
}
