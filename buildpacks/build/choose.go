package build

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/buildpacks/pack/pkg/image"
	projectTypes "github.com/buildpacks/pack/pkg/project/types"
	"github.com/google/go-containerregistry/pkg/name"

	"slipway/buildpacks"
	"slipway/buildpacks/project"
)

// maxListed is how many of a builder's buildpacks an error names.
const maxListed = 40

// maxBuildpackTOML is how large a buildpack.toml may be: it is read into memory.
const maxBuildpackTOML = 1 << 20

// A chooser turns the buildpacks that an app asks for into what pack takes. It
// refuses, in words, what the operator does not allow and what is not there.
type chooser struct {
	asks    string          // who: "project.toml asks for"
	allowed []string        // URIs
	have    map[string]bool // buildpacks of the builder, by "id" and "id@version"
	app     string          // the build's copy of the app
	fetch   func(ctx context.Context, uri string) (path string, err error)
	note    func(line string)
}

// asksBuildpacks tells whether an app names buildpacks.
func asksBuildpacks(d projectTypes.Descriptor) bool {
	return len(d.Build.Buildpacks)+len(d.Build.Pre.Buildpacks)+len(d.Build.Post.Buildpacks) > 0
}

// force makes buildpacks of the app's settings the only ones, whatever its
// project.toml says.
func force(d *projectTypes.Descriptor, names []string) {
	if len(names) == 0 {
		return
	}
	d.Build.Pre, d.Build.Post = projectTypes.GroupAddition{}, projectTypes.GroupAddition{}
	d.Build.Buildpacks = nil
	for _, name := range names {
		d.Build.Buildpacks = append(d.Build.Buildpacks, projectTypes.Buildpack{URI: name})
	}
}

// chooseBuildpacks makes the app's buildpacks ready for pack.
func (j *job) chooseBuildpacks(ctx context.Context, f *fetcher) error {
	if !asksBuildpacks(j.project) {
		return nil
	}
	have, err := j.buildpacks(ctx, f)
	if err != nil {
		return err
	}
	c := chooser{
		asks: "project.toml asks for", allowed: slices.Concat(j.b.cfg.Allowed, j.b.cfg.Trusted), have: have, app: j.app(),
		fetch: j.fetchBuildpack, note: j.t.note,
	}
	b := &j.project.Build
	if len(j.r.Buildpacks) > 0 {
		c.asks = "The app is set to use"
		if id := procfileOf(have, j.r.Plan); id != "" && !c.names(b.Buildpacks, id) {
			b.Buildpacks = append(b.Buildpacks, projectTypes.Buildpack{ID: id})
		}
	}
	for _, group := range [][]projectTypes.Buildpack{b.Buildpacks, b.Pre.Buildpacks, b.Post.Buildpacks} {
		for i, bp := range group {
			if group[i], err = c.choose(ctx, bp); err != nil {
				return err
			}
		}
	}
	return nil
}

// procfileOf is the builder's buildpack for the app's Procfile; "" if there is none.
// On Heroku the Procfile counts whatever the buildpacks are.
func procfileOf(have map[string]bool, plan *buildpacks.Plan) string {
	if plan == nil || len(plan.Processes) == 0 {
		return ""
	}
	for _, id := range []string{"slipway/procfile", "heroku/procfile", "paketo-buildpacks/procfile"} {
		if have[id] {
			return id
		}
	}
	return ""
}

// names tells whether a buildpack of the builder is among those chosen.
func (c chooser) names(all []projectTypes.Buildpack, id string) bool {
	return slices.ContainsFunc(all, func(bp projectTypes.Buildpack) bool {
		ref, err := project.Parse(firstOf(bp.URI, bp.ID))
		return err == nil && ref.Kind == project.OfBuilder && (ref.ID == id || project.Ours(ref.ID) == id)
	})
}

// chosen tells whether the app names all buildpacks that are to detect it.
func (j *job) chosen() bool {
	all := j.project.Build.Buildpacks
	return len(all) > 0 && !slices.ContainsFunc(all, func(bp projectTypes.Buildpack) bool { return bp.URI == allOfBuilder })
}

// buildpacks are those of the builder, which may have to be pulled to tell.
func (j *job) buildpacks(ctx context.Context, f *fetcher) (map[string]bool, error) {
	if _, err := f.Fetch(ctx, j.builder, image.FetchOptions{Daemon: true, PullPolicy: image.PullIfNotPresent}); err != nil {
		return nil, err
	}
	res, err := j.b.cfg.Engine.ImageInspect(ctx, j.builder)
	if err != nil {
		return nil, fmt.Errorf("inspect builder: %w", err)
	}
	return buildpacksOf(res)
}

func (c chooser) choose(ctx context.Context, bp projectTypes.Buildpack) (projectTypes.Buildpack, error) {
	if c.asItIs(bp) {
		return bp, nil
	}
	if !strings.Contains(bp.URI, "://") {
		bp.URI = strings.TrimSuffix(bp.URI, "/") // a folder, as people write one
	}
	name := bp.URI
	if name == "" {
		name = bp.ID
		if bp.Version != "" {
			name += "@" + bp.Version
		}
	}
	ref, err := project.Parse(relative(name))
	if err != nil {
		return bp, refuse(ErrRefused, "%s a buildpack that cannot be used. %s", c.asks, err)
	}
	switch ref.Kind {
	case project.OfBuilder:
		if bp.URI != "" && !c.have[ref.Name] && c.isFolder(bp.URI) {
			return c.inApp(project.Reference{Name: bp.URI, Path: bp.URI}) // as pack takes a path without ./
		}
		return c.ofBuilder(ref)
	case project.InApp:
		return c.inApp(ref)
	case project.Archive, project.Image, project.OnServer:
		return c.elsewhere(ctx, ref)
	}
	return bp, refuse(ErrRefused, "%s the buildpack %q, of a kind that is not known.", c.asks, name)
}

// asItIs tells what pack can do without help: all of the builder, what the
// operator allows and need not be fetched, and the pusher's own code.
func (c chooser) asItIs(bp projectTypes.Buildpack) bool {
	if bp.URI == "" {
		return bp.Script.Inline != ""
	}
	return bp.URI == allOfBuilder || slices.Contains(c.allowed, bp.URI) && !isArchive(bp.URI) && !strings.HasPrefix(bp.URI, inDocker)
}

// inDocker begins the URI of a buildpack in an image registry.
const inDocker = "docker://"

// relative puts ./ before what project.toml can name without.
func relative(name string) string {
	if strings.HasPrefix(name, "../") {
		return "./" + name
	}
	return name
}

func isArchive(uri string) bool {
	return strings.HasPrefix(uri, "https://") || strings.HasPrefix(uri, "http://")
}

func (c chooser) ofBuilder(ref project.Reference) (projectTypes.Buildpack, error) {
	bp := projectTypes.Buildpack{ID: ref.ID, Version: ref.Version}
	if c.have[ref.Name] {
		return bp, nil
	}
	if ours := project.Ours(ref.ID); ours != "" && c.have[ours] {
		c.note("-----> Using " + ours + " for " + ref.Name)
		return projectTypes.Buildpack{ID: ours}, nil
	}
	if c.have[ref.ID] {
		return bp, refuse(ErrRefused, "%s the buildpack %q, of which the builder does not have this version.\nIt has: %s\nLeave the version out, or write one of these.", c.asks, ref.Name, c.listed(ref.ID+"@"))
	}
	return bp, refuse(ErrRefused, "%s the buildpack %q, which the builder does not have.\nIt has: %s", c.asks, ref.Name, c.listed(""))
}

// listed are the builder's buildpacks for a person: versions of one, or all.
func (c chooser) listed(prefix string) string {
	return listIDs(slices.Collect(maps.Keys(c.have)), prefix)
}

func listIDs(names []string, prefix string) string {
	var ids []string
	for _, name := range names {
		if strings.HasPrefix(name, prefix) && (prefix != "" || !strings.Contains(name, "@")) {
			ids = append(ids, name)
		}
	}
	slices.Sort(ids)
	if n := len(ids) - maxListed; n > 0 {
		ids = append(ids[:maxListed], fmt.Sprintf("and %d more", n))
	}
	if len(ids) == 0 {
		return "none"
	}
	return strings.Join(ids, ", ")
}

func (c chooser) isFolder(name string) bool {
	info, err := os.Lstat(filepath.Join(c.app, name, "buildpack.toml"))
	return err == nil && info.Mode().IsRegular()
}

// inApp finds a buildpack in the app itself: the pusher's own code.
func (c chooser) inApp(ref project.Reference) (projectTypes.Buildpack, error) {
	bp := projectTypes.Buildpack{URI: filepath.Join(c.app, filepath.FromSlash(ref.Path))}
	root, err := os.OpenRoot(c.app)
	if err != nil {
		return bp, fmt.Errorf("open app: %w", err)
	}
	defer func() { _ = root.Close() }() // only a handle
	inner, err := root.OpenRoot(ref.Path)
	if err == nil {
		defer func() { _ = inner.Close() }() // only a handle
	}
	info, statErr := root.Lstat(ref.Path)
	if err != nil || statErr != nil || !info.IsDir() {
		return bp, refuse(ErrRefused, "%s the buildpack %q, and the app has no such folder.\nAdd it with git add, or see whether .slugignore or project.toml leaves it out.", c.asks, ref.Name)
	}
	return bp, checkBuildpack(inner, fmt.Sprintf("%s the buildpack %q", c.asks, ref.Name))
}

// checkBuildpack refuses a folder that is no buildpack.
func checkBuildpack(root *os.Root, asks string) error {
	info, err := root.Stat("buildpack.toml")
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxBuildpackTOML {
		if _, err := root.Stat("bin/compile"); err == nil {
			return refuse(ErrRefused, "%s, which is a classic one (bin/compile): builds run Cloud Native Buildpacks.\nGive it a buildpack.toml, bin/detect and bin/build.", asks)
		}
		return refuse(ErrRefused, "%s, which has no buildpack.toml.\nA buildpack is a folder with buildpack.toml, bin/detect and bin/build.", asks)
	}
	text, err := root.ReadFile("buildpack.toml")
	if err != nil {
		return fmt.Errorf("read buildpack.toml: %w", err)
	}
	if strings.Contains(string(text), "[[order]]") {
		return nil // it is made of others
	}
	for _, name := range []string{"bin/detect", "bin/build"} {
		switch info, err := root.Stat(name); {
		case err != nil || !info.Mode().IsRegular():
			return refuse(ErrRefused, "%s, which has no %s.", asks, name)
		case info.Mode()&0o111 == 0:
			return refuse(ErrRefused, "%s, whose %s is not executable: git update-index --chmod=+x %[2]s", asks, name)
		}
	}
	return nil
}

// elsewhere takes what the operator allows.
func (c chooser) elsewhere(ctx context.Context, ref project.Reference) (projectTypes.Buildpack, error) {
	bp := projectTypes.Buildpack{URI: ref.URI}
	if !slices.Contains(c.allowed, ref.URI) {
		return bp, refuse(ErrRefused, "%s the buildpack %q, which this server does not allow.\nUse a buildpack of the builder by its id, put this one into a folder of the app,\nor ask for it to be allowed (--allowed-builder %[2]s).", c.asks, ref.URI)
	}
	if ref.Kind == project.Image {
		return c.image(ref)
	}
	if ref.Kind != project.Archive {
		return bp, nil
	}
	path, err := c.fetch(ctx, ref.URI)
	if err != nil {
		return bp, err
	}
	bp.URI = path
	return bp, nil
}

// image names a buildpack in a registry as pack can read it. Pack takes the URI of
// one with a port for no reference, and a name without anything for an ID of the
// buildpack registry.
func (c chooser) image(ref project.Reference) (projectTypes.Buildpack, error) {
	bp := projectTypes.Buildpack{URI: ref.URI}
	parsed, err := name.ParseReference(strings.TrimPrefix(ref.URI, inDocker), name.WeakValidation)
	if err != nil {
		return bp, refuse(ErrRefused, "%s the buildpack %q, which is no name of an image: %v.", c.asks, ref.URI, err)
	}
	if strings.Contains(parsed.Context().RegistryStr(), ":") {
		bp.URI = parsed.Name()
	}
	return bp, nil
}
