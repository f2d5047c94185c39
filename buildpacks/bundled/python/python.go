package python

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/buildpacks/libcnb"
)

const (
	codeFailed  = 1
	codePassed  = 0
	codeNotHere = 100 // bin/detect: not an app for this buildpack
)

// errShown is returned once what is wrong has been shown to the pusher.
var errShown = errors.New("already shown")

// Main runs bin/detect or bin/build, by the base name of args[0], as the
// Buildpack API says, and returns the exit code. All output goes to out, in
// one stream, so that it stays in order.
func Main(ctx context.Context, args, environ []string, out io.Writer) int {
	exit := &exit{out: out}
	libcnb.Main(
		detector(func(c libcnb.DetectContext) (libcnb.DetectResult, error) { return detect(ctx, c, out) }),
		builder(func(c libcnb.BuildContext) (libcnb.BuildResult, error) {
			b, err := newBuild(c, environ, out)
			if err != nil {
				return libcnb.BuildResult{}, err
			}
			return b.run(ctx)
		}),
		libcnb.WithArguments(args), libcnb.WithExitHandler(exit),
	)
	return exit.code
}

type detector func(libcnb.DetectContext) (libcnb.DetectResult, error)

func (f detector) Detect(c libcnb.DetectContext) (libcnb.DetectResult, error) { return f(c) }

type builder func(libcnb.BuildContext) (libcnb.BuildResult, error)

func (f builder) Build(c libcnb.BuildContext) (libcnb.BuildResult, error) { return f(c) }

// exit keeps the exit code for Main instead of leaving.
type exit struct {
	out  io.Writer
	code int
}

var _ libcnb.ExitHandler = (*exit)(nil)

func (e *exit) Error(err error) {
	e.code = codeFailed
	if !errors.Is(err, errShown) {
		fmt.Fprintf(e.out, "\n !     Error: The Python buildpack failed.\n !\n !     %v\n\n", err)
	}
}

func (e *exit) Fail() { e.code = codeNotHere }

func (e *exit) Pass() { e.code = codePassed }
