package static

import (
	_ "embed"
	"io/fs"

	"slipway/buildpacks"
	"slipway/buildpacks/bundled/cnb"
)

// Descriptor is the buildpack.toml.
//
//go:embed buildpack.toml
var Descriptor string

const language = "static"

// Detect passes for whatever package buildpacks calls static. It passes too where
// Node.js makes a site that says so: whoever sets both buildpacks means that.
func Detect(fsys fs.FS, plan *buildpacks.Plan) cnb.Answer {
	if plan.Language == "nodejs" {
		for _, name := range []string{staticJSON, staticFile, ".static"} {
			if info, err := fs.Stat(fsys, name); err == nil && info.Mode().IsRegular() {
				return cnb.Answer{Pass: true, Provides: []string{language}, Requires: []string{language}}
			}
		}
	}
	return cnb.Says(language, plan)
}
