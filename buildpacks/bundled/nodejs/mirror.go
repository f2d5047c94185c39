package nodejs

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// publicTarball is how Yarn 1 names a package's file in yarn.lock: by an address
// at the public registry, under either of its names.
var publicTarball = regexp.MustCompile(`(?m)^([ \t]+resolved[ \t]+"?)https://registry\.(?:yarnpkg\.com|npmjs\.org)/`)

// throughMirror runs what reads yarn.lock while its addresses are those of the
// registry that is set, as npm does for package-lock.json by itself. The file is
// as it was afterwards.
func (b *build) throughMirror(run func() error) (err error) {
	if b.manager.name != "yarn" || b.manager.berry() || registryOf(b.env) == "" || !b.locked() {
		return run()
	}
	name := b.appFile("yarn.lock")
	info, err := os.Lstat(name)
	if err != nil || !info.Mode().IsRegular() {
		return run()
	}
	was, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read yarn.lock: %w", err)
	}
	now := publicTarball.ReplaceAll(was, []byte("${1}"+strings.ReplaceAll(b.registry.base.String(), "$", "$$")))
	if err := os.WriteFile(name, now, info.Mode().Perm()); err != nil {
		return fmt.Errorf("name the mirror in yarn.lock: %w", err)
	}
	defer func() {
		if restored := os.WriteFile(name, was, info.Mode().Perm()); restored != nil && err == nil {
			err = fmt.Errorf("restore yarn.lock: %w", restored)
		}
	}()
	return run()
}
