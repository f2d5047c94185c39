package cnb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/buildpacks/libcnb"

	"slipway/buildpacks"
)

const (
	codeFailed  = 1
	codePassed  = 0
	codeNotHere = 100 // bin/detect: not an app for this buildpack
)

// ErrShown is returned once what is wrong has been shown to the pusher.
var ErrShown = errors.New("already shown")

// A Program is a buildpack: bin/detect and bin/build.
type Program struct {
	Name string // for people: "Python"
	// Options tell detection what the builder has; none if nil.
	Options func(libcnb.Buildpack) (buildpacks.Options, error)
	Detect  Detect
	// Build is bin/build. What it prints goes to out; environ is the process's.
	Build func(ctx context.Context, c libcnb.BuildContext, environ []string, out io.Writer) (libcnb.BuildResult, error)
}

// Main runs bin/detect or bin/build, by the base name of args[0] (Buildpack
// Interface Specification, "Buildpack Interface"), and returns the exit code. All
// output goes to out, in one stream, so that it stays in order.
func (p Program) Main(ctx context.Context, args, environ []string, out io.Writer) int {
	exit := &exit{name: p.Name, out: out}
	libcnb.Main(
		detector(func(c libcnb.DetectContext) (libcnb.DetectResult, error) { return p.detect(ctx, c, out) }),
		builder(func(c libcnb.BuildContext) (libcnb.BuildResult, error) { return p.Build(ctx, c, environ, out) }),
		libcnb.WithArguments(args), libcnb.WithExitHandler(exit),
	)
	return exit.code
}

func (p Program) detect(ctx context.Context, c libcnb.DetectContext, out io.Writer) (libcnb.DetectResult, error) {
	var o buildpacks.Options
	if p.Options != nil {
		var err error
		if o, err = p.Options(c.Buildpack); err != nil {
			return libcnb.DetectResult{}, err
		}
	}
	o.Language = c.Platform.Environment[buildpacks.LanguageEnv]
	app := os.DirFS(c.Application.Path)
	plan, err := buildpacks.Detect(ctx, app, o)
	var bad *buildpacks.DetectError
	if err != nil && !errors.As(err, &bad) {
		return libcnb.DetectResult{}, err
	}
	a := p.Detect(app, plan)
	_, _ = io.WriteString(out, a.Output) // nobody is left to tell
	return a.result(), nil
}

type detector func(libcnb.DetectContext) (libcnb.DetectResult, error)

func (f detector) Detect(c libcnb.DetectContext) (libcnb.DetectResult, error) { return f(c) }

type builder func(libcnb.BuildContext) (libcnb.BuildResult, error)

func (f builder) Build(c libcnb.BuildContext) (libcnb.BuildResult, error) { return f(c) }

// exit keeps the exit code for Main instead of leaving.
type exit struct {
	name string
	out  io.Writer
	code int
}

var _ libcnb.ExitHandler = (*exit)(nil)

func (e *exit) Error(err error) {
	e.code = codeFailed
	if !errors.Is(err, ErrShown) {
		fmt.Fprintf(e.out, "\n !     Error: The %s buildpack failed.\n !\n !     %v\n\n", e.name, err)
	}
}

func (e *exit) Fail() { e.code = codeNotHere }

func (e *exit) Pass() { e.code = codePassed }
