package python

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/buildpacks/libcnb"

	"slipway/buildpacks"
)

const language = "python"

// detect passes for whatever Detect calls Python, even if it cannot be built:
// bin/build then says why, where the pusher sees it.
func detect(ctx context.Context, c libcnb.DetectContext, out io.Writer) (libcnb.DetectResult, error) {
	rt, err := readRuntimes(root(c.Buildpack))
	if err != nil {
		return libcnb.DetectResult{}, err
	}
	plan, err := buildpacks.Detect(ctx, os.DirFS(c.Application.Path), rt.options(nil))
	var bad *buildpacks.DetectError
	if err != nil && !errors.As(err, &bad) {
		return libcnb.DetectResult{}, err
	}
	if plan.Language != language {
		return libcnb.DetectResult{}, nil
	}
	if bad != nil {
		_, _ = io.WriteString(out, bad.Text()) // bin/build says it again
	}
	return libcnb.DetectResult{Pass: true, Plans: []libcnb.BuildPlan{{
		Provides: []libcnb.BuildPlanProvide{{Name: language}},
		Requires: []libcnb.BuildPlanRequire{{Name: language}},
	}}}, nil
}
