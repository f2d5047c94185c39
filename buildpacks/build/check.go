package build

import (
	"fmt"
	"slices"

	"slipway/buildpacks/project"
)

// Buildpacks returns the IDs of the bundled builder's buildpacks, sorted; nil if
// there is no bundled builder.
func (b *Builder) Buildpacks() []string {
	if b.bundle == nil {
		return nil
	}
	return slices.Clone(b.bundle.buildpacks)
}

// CheckBuildpacks refuses names of buildpacks that no build here could use, as far
// as that is known before one: folders of the app are not looked for, nor what
// other builders have. It returns the names as they are to be stored; an [*Error]
// says what is wrong.
func (b *Builder) CheckBuildpacks(names []string) ([]string, error) {
	stored := make([]string, 0, len(names))
	for _, name := range names {
		ref, err := project.Parse(name)
		if err != nil {
			return nil, refuse(ErrRefused, "%s", err)
		}
		if err := b.checkBuildpack(ref); err != nil {
			return nil, err
		}
		if slices.Contains(stored, ref.Name) {
			return nil, refuse(ErrRefused, "The buildpack %q is there twice: leave one.", ref.Name)
		}
		stored = append(stored, ref.Name)
	}
	return stored, nil
}

func (b *Builder) checkBuildpack(ref project.Reference) error {
	switch ref.Kind {
	case project.InApp:
		return nil
	case project.OfBuilder:
		onlyOurs := b.bundle != nil && b.cfg.Builder == Bundled && len(b.cfg.Trusted)+len(b.cfg.Allowed) == 0
		have := func(id string) bool { return slices.Contains(b.bundle.buildpacks, id) }
		if !onlyOurs || have(ref.ID) || have(project.Ours(ref.ID)) {
			return nil
		}
		return refuse(ErrRefused, "The builder has no buildpack %q. It has: %s", ref.ID, listIDs(b.bundle.buildpacks, ""))
	case project.Archive, project.Image, project.OnServer:
		if slices.Contains(b.cfg.Allowed, ref.URI) || slices.Contains(b.cfg.Trusted, ref.URI) {
			return nil
		}
		return refuse(ErrRefused, "The buildpack %q is not one that this server allows. Use a buildpack of the builder by its id, put this one into a folder of the app and name that (./my-buildpack), or ask for it to be allowed (--allowed-builder %[1]s).", ref.URI)
	}
	return fmt.Errorf("check buildpack %q: kind %d is not known", ref.Name, ref.Kind)
}
