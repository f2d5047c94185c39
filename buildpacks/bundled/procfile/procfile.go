// Package procfile is Slipway's buildpack for the Procfile: it declares its
// process types, for whichever language, or alone for apps that need none.
package procfile

import (
	"context"
	_ "embed"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/buildpacks/libcnb"

	"slipway/buildpacks"
	"slipway/buildpacks/bundled/cnb"
)

// Descriptor is the buildpack.toml.
//
//go:embed buildpack.toml
var Descriptor string

// languages are those that the builder has; "" is an app of none. A Procfile alone
// does not make an app of another language run.
var languages = []string{"", "python", "nodejs", "go", "static"}

// Detect passes where there is a Procfile that declares a process.
func Detect(_ fs.FS, plan *buildpacks.Plan) cnb.Answer {
	if len(plan.Processes) == 0 || !slices.Contains(languages, plan.Language) {
		return cnb.Answer{}
	}
	return cnb.Answer{Pass: true}
}

// Main runs bin/detect or bin/build: see [cnb.Program.Main].
func Main(ctx context.Context, args, environ []string, out io.Writer) int {
	return cnb.Program{Name: "Procfile", Detect: Detect, Build: build}.Main(ctx, args, environ, out)
}

// build declares the processes. They run through bash, after .profile, as on
// Heroku.
func build(ctx context.Context, c libcnb.BuildContext, _ []string, out io.Writer) (libcnb.BuildResult, error) {
	result := libcnb.NewBuildResult()
	plan, err := buildpacks.Detect(ctx, os.DirFS(c.Application.Path), buildpacks.Options{})
	var bad *buildpacks.DetectError
	if err != nil && !errors.As(err, &bad) {
		return result, err
	}
	for _, p := range plan.Processes {
		result.Processes = append(result.Processes, libcnb.Process{Type: p.Type, Command: p.Command, Default: p.Default})
	}
	if plan.Language == "" {
		o := cnb.Output{W: out}
		o.Step("Using the app as it is: only a Procfile was found")
	}
	return result, nil
}
