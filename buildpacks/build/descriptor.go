package build

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/buildpacks/pack/pkg/project"
	projectTypes "github.com/buildpacks/pack/pkg/project/types"
	"github.com/moby/moby/client"
)

// descriptorMost is how large a project.toml may be: it is parsed in memory.
const descriptorMost = 1 << 20

// readDescriptor reads the project.toml of an app, if it has one.
func readDescriptor(dir string, t *transcript) (projectTypes.Descriptor, error) {
	file := filepath.Join(dir, "project.toml")
	info, err := os.Lstat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return projectTypes.Descriptor{}, nil
	}
	if err != nil {
		return projectTypes.Descriptor{}, fmt.Errorf("read project.toml: %w", err)
	}
	if !info.Mode().IsRegular() { // a link could lead out of the app
		return projectTypes.Descriptor{}, refuse(ErrSource, "project.toml is not a regular file.")
	}
	if info.Size() > descriptorMost {
		return projectTypes.Descriptor{}, refuse(ErrSource, "project.toml is larger than %d KB.", descriptorMost>>10)
	}
	d, err := project.ReadProjectDescriptor(file, packLogger{t})
	if err != nil {
		return d, refuse(ErrSource, "project.toml cannot be read: %s", strings.TrimPrefix(err.Error(), "project.toml: "))
	}
	for _, e := range d.Build.Env {
		if !validEnv(e.Name) {
			return d, refuse(ErrSource, "project.toml sets %q, which cannot name an environment variable.", e.Name)
		}
	}
	return d, nil
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

// A rule is what a project.toml that comes with a push may ask for.
type rule struct {
	allowed   []string        // buildpack URIs
	available map[string]bool // buildpacks of the builder, by "id" and "id@version"
}

// asksBuildpacks tells whether a project.toml names buildpacks.
func asksBuildpacks(d projectTypes.Descriptor) bool {
	return len(d.Build.Buildpacks)+len(d.Build.Pre.Buildpacks)+len(d.Build.Post.Buildpacks) > 0
}

// check refuses what the rule does not permit, in words.
func (r rule) check(d projectTypes.Descriptor) error {
	for _, bp := range slices.Concat(d.Build.Buildpacks, d.Build.Pre.Buildpacks, d.Build.Post.Buildpacks) {
		if err := r.buildpack(bp); err != nil {
			return err
		}
	}
	return nil
}

func (r rule) buildpack(bp projectTypes.Buildpack) error {
	switch {
	case bp.URI == allOfBuilder || bp.URI != "" && slices.Contains(r.allowed, bp.URI):
		return nil
	case ofBuilder(bp.URI):
		id := strings.TrimPrefix(strings.TrimPrefix(bp.URI, allOfBuilder+":"), builderURN)
		if r.available[strings.Replace(id, ":", "@", 1)] {
			return nil
		}
		return refuse(ErrRefused, "project.toml asks for the buildpack %q, which the builder does not have.", id)
	case bp.URI != "":
		return refuse(ErrRefused, "project.toml asks for the buildpack %q, which this server does not allow.\nUse a buildpack of the builder by its id, or ask for this one to be allowed.", bp.URI)
	case bp.Script.Inline != "":
		return nil // the pusher's own code, as the app is
	}
	id := bp.ID
	if bp.Version != "" {
		id += "@" + bp.Version
	}
	if !r.available[id] {
		return refuse(ErrRefused, "project.toml asks for the buildpack %q, which the builder does not have.", id)
	}
	return nil
}

// buildpacksOf reads from an inspected builder which buildpacks it has.
func buildpacksOf(img client.ImageInspectResult) (map[string]bool, error) {
	have := make(map[string]bool)
	if img.Config == nil {
		return have, nil
	}
	label := img.Config.Labels["io.buildpacks.buildpack.layers"]
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
