package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	projectTypes "github.com/buildpacks/pack/pkg/project/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/moby/client"

	"slipway/buildpacks/project"
)

// readProject reads what the app says about its build, unless the caller has.
func (j *job) readProject(ctx context.Context) error {
	p := j.r.Project
	if p == nil {
		var err error
		p, err = project.Open(ctx, j.r.Source, project.Limits{Files: j.b.cfg.SourceFiles})
		if known, is := errors.AsType[*project.Error](err); is {
			return refuse(ErrSource, "%s", known)
		}
		if err != nil {
			return fmt.Errorf("read project: %w", err)
		}
		for _, l := range p.LeftOut {
			j.t.note("-----> " + l.String())
		}
	}
	j.source, j.project = p.Tree, p.Descriptor
	for _, e := range j.project.Build.Env {
		if !validEnv(e.Name) {
			return refuse(ErrSource, "project.toml sets %q, which cannot name an environment variable.", e.Name)
		}
	}
	// What pack changes in them is not the caller's.
	b := &j.project.Build
	for _, group := range []*[]projectTypes.Buildpack{&b.Buildpacks, &b.Pre.Buildpacks, &b.Post.Buildpacks} {
		*group = slices.Clone(*group)
	}
	force(&j.project, j.r.Buildpacks)
	return nil
}

// How a project.toml names the builder's own buildpacks by URI.
const (
	allOfBuilder = "from=builder" // or one of them, behind a colon
	builderURN   = "urn:cnb:builder:"
)

// ofBuilder tells whether a URI names buildpacks that the builder has.
func ofBuilder(uri string) bool {
	return uri == allOfBuilder || strings.HasPrefix(uri, allOfBuilder+":") || strings.HasPrefix(uri, builderURN)
}

// layersLabel lists the buildpacks of a builder.
const layersLabel = "io.buildpacks.buildpack.layers"

// buildpacksOf reads from an inspected builder which buildpacks it has, by "id"
// and "id@version".
func buildpacksOf(img client.ImageInspectResult) (map[string]bool, error) {
	if img.Config == nil {
		return map[string]bool{}, nil
	}
	return parseLayers(img.Config.Labels[layersLabel])
}

// imageBuildpacks is buildpacksOf an image.
func imageBuildpacks(img v1.Image) (map[string]bool, error) {
	cfg, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	return parseLayers(cfg.Config.Labels[layersLabel])
}

// idsOf are the IDs among what buildpacksOf reads, sorted.
func idsOf(have map[string]bool) []string {
	ids := slices.DeleteFunc(slices.Collect(maps.Keys(have)), func(name string) bool { return strings.Contains(name, "@") })
	slices.Sort(ids)
	return ids
}

func parseLayers(label string) (map[string]bool, error) {
	have := make(map[string]bool)
	if label == "" {
		return have, nil
	}
	var layers map[string]map[string]json.RawMessage
	if err := json.Unmarshal([]byte(label), &layers); err != nil {
		return nil, fmt.Errorf("read buildpacks of builder: %w", err)
	}
	for id, versions := range layers {
		have[id] = true
		for v := range versions {
			have[id+"@"+v] = true
		}
	}
	return have, nil
}
