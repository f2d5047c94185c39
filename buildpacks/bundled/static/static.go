package static

import (
	"context"
	"io"

	"github.com/buildpacks/libcnb"

	"slipway/buildpacks/bundled/cnb"
)

// Main runs bin/detect or bin/build: see [cnb.Program.Main].
func Main(ctx context.Context, args, environ []string, out io.Writer) int {
	return cnb.Program{
		Name:   "static site",
		Detect: Detect,
		Build: func(ctx context.Context, c libcnb.BuildContext, environ []string, out io.Writer) (libcnb.BuildResult, error) {
			return newBuild(c, environ, out).run(ctx)
		},
	}.Main(ctx, args, environ, out)
}
