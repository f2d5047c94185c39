package build

import (
	"io"
	"io/fs"
	"time"

	"slipway/buildpacks"
	"slipway/buildpacks/project"
)

// A Request asks for one build.
type Request struct {
	ID  string // unique, short, of letters, digits and dashes; required
	App string // names the cache volume; required
	// Source is the tree to build; required.
	Source fs.FS
	// Project is what Source says about its build, if the caller has read it: its
	// tree is built, and nothing is said of what it leaves out.
	Project *project.Project
	// Buildpacks are used instead of those that a project.toml names and of the
	// builder's own order: one group, in this order, all of which have to detect
	// the app. [project.Parse] says how they are named.
	Buildpacks []string
	// Language is the one that our own buildpacks are to take the app for, if its
	// files are there; "" leaves it to the files.
	Language string
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
