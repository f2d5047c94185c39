package golang

import (
	"context"
	"errors"

	"slipway/buildpacks/bundled/cnb"
)

// hook runs bin/go-pre-compile or bin/go-post-compile of the app, as Heroku does.
func (b *build) hook(ctx context.Context, name string, env cnb.Environment) error {
	path := "bin/" + name
	if !exists(b.appFile(path)) {
		return nil
	}
	b.out.Step("Running %s hook", path)
	out := &cnb.Indenter{W: b.out.W}
	cmd := cnb.Command{Dir: b.app, Env: env, Out: out, Args: []string{"bash", "-c", `chmod +x "$0" && exec "$0"`, b.appFile(path)}}
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
