package nodejs

import (
	_ "embed"
	"io/fs"
	"slices"

	"slipway/buildpacks"
	"slipway/buildpacks/bundled/cnb"
)

// Descriptor is the buildpack.toml.
//
//go:embed buildpack.toml
var Descriptor string

const language = "nodejs"

// helped are the languages of the builder whose apps have their assets built here.
var helped = []string{"python", "go", "static"}

// Detect passes for whatever package buildpacks calls Node.js, and for an app of
// another language that has something for Node.js to do: a build script, or
// packages to install. A package.json with nothing but tools for developers is
// left alone.
func Detect(fsys fs.FS, plan *buildpacks.Plan) cnb.Answer {
	if !slices.Contains(helped, plan.Language) {
		return cnb.Says(language, plan)
	}
	pkg, err := readPackage(fsys)
	if err != nil || len(pkg.Dependencies) == 0 && pkg.buildScript() == "" && pkg.script(prebuildScript) == "" {
		return cnb.Answer{}
	}
	return cnb.Answer{Pass: true, Provides: []string{language}, Requires: []string{language}}
}
