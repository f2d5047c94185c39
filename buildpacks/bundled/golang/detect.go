package golang

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

const language = "go"

// Detect passes for whatever package buildpacks calls Go.
func Detect(_ fs.FS, plan *buildpacks.Plan) cnb.Answer { return cnb.Says(language, plan) }
