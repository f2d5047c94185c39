package project

import (
	"slices"

	"github.com/buildpacks/pack/pkg/project/types"
)

// allOfBuilder stands for all of the builder's buildpacks among others.
const allOfBuilder = "from=builder"

// Buildpacks are the names of the buildpacks that project.toml chooses, in their
// order, "from=builder" among them for the builder's own; none if it chooses none,
// or a script that has no name.
func (p *Project) Buildpacks() []string {
	said := p.Descriptor.Build
	groups := [][]types.Buildpack{said.Pre.Buildpacks, said.Buildpacks, said.Post.Buildpacks}
	all := slices.Concat(groups...)
	if len(all) == 0 || slices.ContainsFunc(all, func(bp types.Buildpack) bool { return bp.Script.Inline != "" }) {
		return nil
	}
	var names []string
	for i, group := range groups {
		if i == 1 && len(group) == 0 {
			names = append(names, allOfBuilder)
		}
		for _, bp := range group {
			names = append(names, nameOf(bp))
		}
	}
	return names
}

func nameOf(bp types.Buildpack) string {
	name := bp.URI
	if name == "" {
		name = bp.ID
	}
	if bp.Version != "" {
		name += "@" + bp.Version
	}
	return name
}
