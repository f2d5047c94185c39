package nodejs

import (
	"context"
	"errors"
	"strings"

	"slipway/buildpacks/bundled/cnb"
)

// script runs a script of package.json, if it is there.
func (b *build) script(ctx context.Context, step, name string) error {
	if name == "" || b.pkg.script(name) == "" {
		if step == "Build" {
			b.out.Step(step)
			b.out.Detail("No build script in package.json")
		}
		return nil
	}
	b.out.Step(step)
	if name == postbuildScript && b.pkg.script("build") != "" {
		b.out.Detail("Detected both 'build' and 'heroku-postbuild' scripts")
	}
	b.out.Detail("Running %s", name)
	args := []string{b.manager.name, "run", name}
	if flags := strings.Fields(b.env["NODE_BUILD_FLAGS"]); len(flags) > 0 && step == "Build" {
		if b.manager.name == "npm" {
			args = append(args, "--")
		}
		args = append(args, flags...)
	}
	log := &failureLog{}
	err := b.command(ctx, log, args...)
	if !errors.Is(err, cnb.ErrExit) {
		return err
	}
	if hint := log.hint(b); hint != "" {
		b.out.Block("%s", hint)
	}
	return b.out.Fail(scriptFailed, name, strings.Join(args, " "))
}
