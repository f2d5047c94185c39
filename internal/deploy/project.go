package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"slipway/buildpacks"
	"slipway/buildpacks/project"
	"slipway/internal/state"
)

// Buildpacks is where it is recorded which buildpacks an app was set to use.
type Buildpacks interface {
	Buildpacks(ctx context.Context, app string) (state.Buildpacks, error)
}

// settings finds what the app was set to be built with. What the push itself asks
// for wins.
func (d *Deployer) settings(ctx context.Context, p *push) error {
	set, err := d.cfg.Buildpacks.Buildpacks(ctx, p.Repo)
	if err != nil {
		return err
	}
	p.set = set
	p.buildpacks = set.Names
	if p.tarball != nil && len(p.tarball.Buildpacks) > 0 {
		p.buildpacks = p.tarball.Buildpacks
	}
	if len(p.opts.buildpacks) > 0 {
		p.buildpacks = p.opts.buildpacks
	}
	return nil
}

// openProject reads what the app says about its build, and leaves out what it
// does not want built: detection is not to see it either.
func (d *Deployer) openProject(ctx context.Context, p *push) error {
	opened, err := project.Open(ctx, p.source, project.Limits{Files: d.cfg.Source.Files})
	if err != nil {
		return err
	}
	p.project, p.source = opened, opened.Tree
	for _, l := range opened.LeftOut {
		p.out.step("%s", l)
	}
	for _, warning := range opened.Warnings {
		p.out.warn(warning)
	}
	return nil
}

// otherBuilder is a builder that the push or the app names; "" if none.
func (p *push) otherBuilder() string {
	if p.opts.builder != "" {
		return p.opts.builder
	}
	if p.project == nil {
		return ""
	}
	return p.project.Descriptor.Build.Builder
}

// choosesBuildpacks tells whether the push or the app names buildpacks, or a
// builder, which may know apps that detection here does not.
func (p *push) choosesBuildpacks() bool {
	return len(p.buildpacks) > 0 || p.otherBuilder() != "" || len(p.project.Descriptor.Build.Buildpacks) > 0
}

// languages are those of the chosen buildpacks that are ours, in their order.
func (p *push) languages() []string {
	var all []string
	for _, name := range p.buildpacks {
		ref, err := project.Parse(name)
		if err != nil || ref.Kind != project.OfBuilder {
			continue
		}
		id := ref.ID
		if ours := project.Ours(id); ours != "" {
			id = ours
		}
		if language, is := strings.CutPrefix(id, "slipway/"); is && language != "procfile" {
			all = append(all, language)
		}
	}
	return all
}

// mainLanguage is the one that detection is to look into if its files are there:
// that of the last chosen buildpack, which on Heroku decides the process types;
// none if they are all of others; "" leaves it to the files.
func (p *push) mainLanguage() string {
	all := p.languages()
	switch {
	case len(p.buildpacks) == 0:
		return ""
	case len(all) == 0:
		return buildpacks.NoLanguage
	}
	return all[len(all)-1]
}

// stops tells whether what detection found keeps the app from being built: not if
// buildpacks are chosen that have nothing to do with it.
func (p *push) stops(plan *buildpacks.Plan, err error) bool {
	if !errors.As(err, new(*buildpacks.DetectError)) || plan == nil {
		return true
	}
	if errors.Is(err, buildpacks.ErrNoLanguage) {
		return !p.choosesBuildpacks()
	}
	if len(p.buildpacks) > 0 {
		return slices.Contains(p.languages(), plan.Language)
	}
	return len(p.project.Descriptor.Build.Buildpacks) == 0
}

// namedBuildpacks are the buildpacks that the push, the app's settings or its
// project.toml name, if they are all by names; none leaves it to the builder.
func (p *push) namedBuildpacks() []string {
	if len(p.buildpacks) > 0 || p.project == nil {
		return p.buildpacks
	}
	return p.project.Buildpacks()
}

// announceChoice says what decides how the app is built.
func (p *push) announceChoice() {
	switch len(p.buildpacks) {
	case 0:
		p.out.step("Determining which buildpack to use for this app")
	case 1:
		p.out.step("Using buildpack: %s", p.buildpacks[0])
	default:
		p.out.step("Using buildpacks:")
		for i, name := range p.buildpacks {
			p.out.detail("%d. %s", i+1, name)
		}
	}
}

// announceLanguage says what the app is, if that is what will be built.
func (p *push) announceLanguage() {
	known := p.plan.Language != "" || len(p.plan.Processes) > 0
	if known && (len(p.buildpacks) == 0 || slices.Contains(p.languages(), p.plan.Language)) {
		p.out.step("%s app detected", buildpacks.LanguageName(p.plan.Language))
	}
}

// incompatible is what to do about chosen buildpacks that do not detect the app.
func (p *push) incompatible() string {
	if p.tarball != nil && len(p.tarball.Buildpacks) > 0 || len(p.opts.buildpacks) > 0 {
		return "The app is not one for the buildpacks that were named with this build.\nLeave them out, and its files decide."
	}
	return fmt.Sprintf("The app is set to use buildpacks that do not detect it.\nslipway buildpacks -a %[1]s shows them, slipway buildpacks:clear -a %[1]s lets its files decide.", p.Repo)
}
