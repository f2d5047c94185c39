package detector

import "github.com/buildpacks/lifecycle/platform/files"

// SetDistro makes tests independent of the machine that they run on.
func (b *Builder) SetDistro(name, version string) {
	b.target.Distro = &files.OSDistro{Name: name, Version: version}
}
