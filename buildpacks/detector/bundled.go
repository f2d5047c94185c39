package detector

import (
	"fmt"
	"path/filepath"

	"github.com/BurntSushi/toml"
	"github.com/buildpacks/lifecycle/buildpack"
	"github.com/buildpacks/lifecycle/platform/files"

	"slipway/buildpacks/bundled"
)

// openBundled takes the bundled builder's order and the detection of its
// buildpacks out of this program.
func (o *opener) openBundled() error {
	b := o.b
	b.ours, b.python = true, o.Python
	if b.python == nil {
		b.python = bundled.Pythons()
	}
	b.target.Distro = &files.OSDistro{Name: bundled.DistroName, Version: bundled.DistroVersion}
	for _, bp := range bundled.Buildpacks {
		m := &module{kind: buildpack.KindBuildpack, detect: bp.Detect, bp: &buildpack.BpDescriptor{}}
		if _, err := toml.Decode(bp.Descriptor, m.bp); err != nil {
			return fmt.Errorf("read the buildpack.toml of %s: %w", bp.ID, err)
		}
		m.bp.WithRootDir = filepath.Join("/cnb/buildpacks", bp.Dir)
		b.store.add(m)
	}
	for _, members := range bundled.Order {
		var group buildpack.Group
		for _, m := range members {
			group.Group = append(group.Group, buildpack.GroupElement{ID: m.ID, Optional: m.Optional})
		}
		b.groups = append(b.groups, group)
	}
	return nil
}
