package golang

import (
	"path/filepath"
	"strings"

	"slipway/buildpacks/bundled/cnb"
)

// moved are variables that would make Go look elsewhere, or compile for another
// machine than the one that the image runs on.
var moved = []string{"GOROOT", "GOPATH", "GOBIN", "GOMODCACHE", "GOCACHE", "GOOS", "GOARCH", "GOENV"}

// goEnvironment is what the go command and the app's hooks run with.
func (b *build) goEnvironment(tc *toolchainLayer, modules, compiled *cacheLayer) cnb.Environment {
	env := b.env.With(
		"PATH", filepath.Join(tc.dir, "bin")+":"+b.env["PATH"],
		"GOPATH", modules.dir, "GOMODCACHE", filepath.Join(modules.dir, "pkg", "mod"), "GOCACHE", compiled.dir,
		"GO111MODULE", "on", "GOENV", "off",
		// A module cache that is read only could not be removed.
		"GOFLAGS", strings.TrimSpace(b.env["GOFLAGS"]+" -modcacherw"),
	)
	env.Default("CGO_ENABLED", "0")
	return env
}
