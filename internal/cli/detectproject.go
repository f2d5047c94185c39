package cli

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"slipway/buildpacks/detector"
	"slipway/buildpacks/project"
	"slipway/internal/workbench"
)

// ourProcfile takes part in a push whatever buildpacks an app chooses.
const ourProcfile = "slipway/procfile"

// open opens what to detect with: what the command line names, or else what the
// app's project.toml chooses, as a push of it would. What cannot be had here is no
// reason to say nothing: then it is the bundled builder, with a word about it.
func (d *detecting) open(ctx context.Context) (workbench.DetectCloser, error) {
	source := d.chosen(ctx)
	if source.Builder == d.source.Builder && slices.Equal(source.Buildpacks, d.source.Buildpacks) {
		return workbench.OpenBuilder(ctx, source)
	}
	names := detector.Visible(strings.Join(append([]string{source.Builder}, source.Buildpacks...), ", "))
	b, err := workbench.OpenBuilder(ctx, source)
	if err != nil && ctx.Err() == nil {
		d.note("project.toml chooses %s, which cannot be used here: %s", names, detector.Visible(err.Error()))
		d.note("The bundled builder is asked instead.")
		return workbench.OpenBuilder(ctx, d.source)
	}
	d.note("project.toml chooses %s", names)
	return b, err
}

// chosen is the source that the command line or the one app names. A project.toml
// that cannot be read is left to detection, which says so.
func (d *detecting) chosen(ctx context.Context) detector.Source {
	source := d.source
	if d.given || len(d.dirs) != 1 {
		return source
	}
	dir := d.dirs[0]
	opened, err := project.Open(ctx, os.DirFS(dir), project.Limits{})
	if err != nil {
		return source
	}
	source.Builder = opened.Descriptor.Build.Builder
	for _, name := range opened.Buildpacks() {
		source.Buildpacks = append(source.Buildpacks, named(dir, name))
	}
	if source.Builder == "" && len(source.Buildpacks) == 0 {
		return source
	}
	if len(source.Buildpacks) > 0 && source.Builder == "" {
		source.Builder = detector.Bundled
		if _, err := fs.Stat(opened.Tree, "Procfile"); err == nil && !slices.Contains(source.Buildpacks, "from=builder") {
			source.Buildpacks = append(source.Buildpacks, ourProcfile)
		}
	}
	return source
}

// named is a buildpack that the project.toml in dir names, as the detector takes it.
func named(dir, name string) string {
	ref, err := project.Parse(name)
	if info, notThere := os.Stat(filepath.Join(dir, name)); notThere == nil && info.IsDir() && filepath.IsLocal(name) {
		return filepath.Join(dir, name)
	}
	switch {
	case err != nil:
		return name // which the detector cannot open either, and says so
	case ref.Kind == project.InApp:
		return filepath.Join(dir, ref.Path)
	case ref.Kind == project.Image:
		return strings.TrimPrefix(ref.URI, "docker://")
	case ref.Kind == project.OfBuilder && project.Ours(ref.ID) != "":
		return project.Ours(ref.ID)
	case ref.Kind == project.OfBuilder:
		return ref.Name
	}
	return name
}
