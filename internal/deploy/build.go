package deploy

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"slipway/buildpacks/build"
	"slipway/internal/state"
)

// A slug is what a build made, and what a release needs to know of it.
type slug struct {
	digest    string
	size      int64
	processes []state.Process
	language  string
	version   string // of the language
	tag       string // a tag that only the build needed, "" if none
	hold      func() // lets the registry sweep again
}

// build runs the builder. The registry keeps its hands off what the build
// writes until the slug is released or the push has failed.
func (d *Deployer) build(ctx context.Context, p *push) (slug, error) {
	started := time.Now()
	release := d.hold(ctx)
	token, revoke := d.cfg.Slugs.Grant(p.Repo)
	defer revoke()
	tag := "build-" + strings.ToLower(p.ID)
	previous := ""
	if p.current.Slug != "" {
		previous = d.reference(p.Repo, p.current.Tag())
	}
	res, err := d.cfg.Builder.Build(ctx, build.Request{
		ID: strings.ToLower(p.ID), App: p.Repo, Source: p.source, Project: p.project, Plan: p.plan,
		Buildpacks: p.buildpacks, Language: p.mainLanguage(),
		Image: d.reference(p.Repo, tag), Previous: previous,
		Builder: p.opts.builder, NoCache: p.opts.noCache, Trace: p.opts.trace,
		User: "build", Token: token, Progress: p.out, Env: buildEnv(p.current.Config),
	})
	if err != nil {
		release()
		d.untag(ctx, p, tag)
		return slug{}, err
	}
	p.log.Info("slug built", zap.String("slug", res.Digest), zap.Int64("size", res.Size),
		zap.Duration("buildpacks_took", res.BuildpacksTook), zap.Duration("took", time.Since(started)))
	p.announceProcesses(res.Processes)
	p.out.step("Compressing...")
	p.out.detail("Done: %s", megabytes(res.Size))
	return slug{
		digest: res.Digest, size: res.Size, processes: processes(p, res), tag: tag, hold: release,
		language: p.plan.Language, version: p.plan.Version.Resolved,
	}, nil
}

// buildEnv are the config vars that a build can see: each is a file, by its
// name.
func buildEnv(config map[string]string) map[string]string {
	env := maps.Clone(config)
	maps.DeleteFunc(env, func(name, _ string) bool { return strings.Contains(name, "/") || name == "." || name == ".." })
	return env
}

// hold keeps the registry from being swept until release is called, or until the
// push has ended: its release function is not called if no ref can move.
func (d *Deployer) hold(ctx context.Context) (release func()) {
	release = d.cfg.Slugs.HoldSweep()
	context.AfterFunc(ctx, release)
	return release
}

// reference is the name under which builds know an image.
func (d *Deployer) reference(app, tag string) string {
	return d.cfg.Registry + "/" + app + ":" + tag
}

// announceProcesses says which process types there are, and whose they are.
func (p *push) announceProcesses(built []build.Process) {
	p.out.step("Discovering process types")
	declared := make([]string, 0, len(p.plan.Processes))
	for _, proc := range p.plan.Processes {
		declared = append(declared, proc.Type)
	}
	var others []string
	for _, proc := range built {
		if !slices.Contains(declared, proc.Type) {
			others = append(others, proc.Type)
		}
	}
	if len(declared) == 0 {
		declared = []string{"(none)"}
	}
	if len(others) == 0 {
		p.out.detail("Procfile declares types -> %s\n", strings.Join(declared, ", "))
		return
	}
	p.out.detail("Procfile declares types     -> %s", strings.Join(declared, ", "))
	p.out.detail("Default types for buildpack -> %s\n", strings.Join(others, ", "))
}

// processes are the image's, or the Procfile's where the image names the command
// less well than the Procfile does.
func processes(p *push, res *build.Result) []state.Process {
	commands := map[string]string{}
	for _, proc := range p.plan.Processes {
		commands[proc.Type] = proc.Command
	}
	out := make([]state.Process, 0, len(res.Processes))
	for _, proc := range res.Processes {
		command, ok := commands[proc.Type]
		if !ok {
			command = strings.Join(append(append([]string{}, proc.Command...), proc.Args...), " ")
		}
		out = append(out, state.Process{Type: proc.Type, Command: command})
	}
	return out
}
