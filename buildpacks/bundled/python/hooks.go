package python

import (
	"context"
	"errors"
	"path/filepath"

	"slipway/buildpacks/bundled/cnb"
)

func (b *build) hasHook(name string) bool { return isFile(b.appFile("bin/" + name)) }

// hook runs bin/pre_compile or bin/post_compile of the app, as Heroku does.
func (b *build) hook(ctx context.Context, name string) error {
	if !b.hasHook(name) {
		return nil
	}
	path := "bin/" + name
	b.out.Step("Running %s hook", path)
	deps := &dependenciesLayer{dir: filepath.Join(b.layers.Path, dependenciesLayerName)}
	out := &cnb.Indenter{W: b.out.W}
	cmd := cnb.Command{Dir: b.app, Env: b.appEnvironment(deps), Out: out, Args: hookArgs(b.appFile(path))}
	err := errors.Join(cmd.Run(ctx), out.Close())
	if err == nil || !errors.Is(err, cnb.ErrExit) {
		return err
	}
	return b.out.Fail(`Error: Failed to run the %[1]s script.

We found a '%[1]s' script in your app source, so ran
it to allow for customisation of the build process.

However, this script exited with a non-zero exit status.

Fix any errors output by your script above, or remove/rename
the script to prevent it from being run during the build.`, path)
}

// hookArgs runs a script by its first line, or by bash if it has none.
func hookArgs(path string) []string {
	return []string{"bash", "-c", `chmod +x "$0" && exec "$0"`, path}
}
