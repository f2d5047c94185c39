package cnb

import (
	"context"
	"errors"
	"path/filepath"
)

// Hook runs a script of the app by which it takes part in its own build, as Heroku
// does; path is below app. It runs by its first line, or by bash if it has none.
func Hook(ctx context.Context, o Output, app, path string, env Environment) error {
	o.Step("Running %s hook", path)
	out := &Indenter{W: o.W}
	cmd := Command{Dir: app, Env: env, Out: out, Args: []string{"bash", "-c", `chmod +x "$0" && exec "$0"`, filepath.Join(app, path)}}
	err := errors.Join(cmd.Run(ctx), out.Close())
	if err == nil || !errors.Is(err, ErrExit) {
		return err
	}
	return o.Fail(`Error: Failed to run the %[1]s script.

We found a '%[1]s' script in your app source, so ran
it to allow for customisation of the build process.

However, this script exited with a non-zero exit status.

Fix any errors output by your script above, or remove/rename
the script to prevent it from being run during the build.`, path)
}
