package python

import (
	"context"
	"path/filepath"

	"slipway/buildpacks/bundled/cnb"
)

func (b *build) hasHook(name string) bool { return cnb.IsFile(b.appFile("bin/" + name)) }

// hook runs bin/pre_compile or bin/post_compile of the app, if it is there.
func (b *build) hook(ctx context.Context, name string) error {
	if !b.hasHook(name) {
		return nil
	}
	deps := &dependenciesLayer{dir: filepath.Join(b.layers.Path, dependenciesLayerName)}
	return cnb.Hook(ctx, b.out, b.app, "bin/"+name, b.appEnvironment(deps))
}
