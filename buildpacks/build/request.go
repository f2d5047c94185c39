package build

import (
	"io"
	"io/fs"
	"time"

	"slipway/buildpacks"
)

// A Request asks for one build.
type Request struct {
	ID  string // unique, short, of letters, digits and dashes; required
	App string // names the cache volume; required
	// Source is the tree to build; required.
	Source fs.FS
	// Plan is what detection decided, if it ran. Builders that do not read
	// runtime.txt are told its Python version in their own way.
	Plan *buildpacks.Plan
	// Image is the reference to publish, in our registry; required.
	Image string
	// Previous is the last good image, whose layers may be reused; "" if none.
	Previous string
	// Env reaches the buildpacks, over the operator's environment. It is in
	// no layer of the image.
	Env map[string]string
	// Builder replaces the configured one, if not "", and that which a
	// project.toml names. It is one of Config's; another is refused.
	Builder string
	// NoCache forgets the app's cache first.
	NoCache bool
	// Trace shows all that pack and the lifecycle say.
	Trace bool
	// User and Token sign in to our registry, for this build only.
	User, Token string
	// Progress gets the build's output as it is written; required.
	Progress io.Writer
}

// A Process is a way to start an image.
type Process struct {
	Type    string   `json:"type"`
	Command []string `json:"command"`
	Args    []string `json:"args,omitempty"`
	Direct  bool     `json:"direct"`
	Default bool     `json:"default,omitempty"`
	WorkDir string   `json:"working_dir,omitempty"`
	// Buildpack is the ID of the buildpack that offers it.
	Buildpack string `json:"buildpack,omitempty"`
}

// A Result describes a built image.
type Result struct {
	Digest    string // "sha256:…", of the manifest
	Processes []Process
	Builder   string // the builder's reference
	RunImage  string // the run image's reference, by digest
	RunTop    string // the diff ID of the run image's top layer
	Took      time.Duration
	// BuildpacksTook is the part of Took in which buildpacks detected and
	// built: from the lifecycle's DETECTING line to the next phase, and the
	// same for BUILDING.
	BuildpacksTook time.Duration
	Size           int64 // compressed bytes of all layers
}
