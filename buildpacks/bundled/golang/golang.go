package golang

import (
	"context"
	"io"

	"github.com/buildpacks/libcnb"

	"slipway/buildpacks/bundled/cnb"
)

// Main runs bin/detect or bin/build: see [cnb.Program.Main].
func Main(ctx context.Context, args, environ []string, out io.Writer) int {
	return cnb.Program{
		Name:   "Go",
		Detect: Detect,
		Build: func(ctx context.Context, c libcnb.BuildContext, environ []string, out io.Writer) (libcnb.BuildResult, error) {
			b, err := newBuild(c, environ, out)
			if err != nil {
				return libcnb.BuildResult{}, err
			}
			return b.run(ctx)
		},
	}.Main(ctx, args, environ, out)
}
