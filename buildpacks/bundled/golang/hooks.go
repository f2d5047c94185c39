package golang

import (
	"context"

	"slipway/buildpacks/bundled/cnb"
)

// hook runs bin/go-pre-compile or bin/go-post-compile of the app, if it is there.
func (b *build) hook(ctx context.Context, name string, env cnb.Environment) error {
	path := "bin/" + name
	if !cnb.Exists(b.appFile(path)) {
		return nil
	}
	return cnb.Hook(ctx, b.out, b.app, path, env)
}
