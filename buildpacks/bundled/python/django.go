package python

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"slipway/buildpacks/bundled/cnb"
)

const (
	disabledFile   = ".heroku/collectstatic_disabled"
	manageDepth    = 3
	maxManageFiles = 100_000 // looked at in search of manage.py
)

// wantsStatic tells whether collectstatic would run if Django is installed.
func (b *build) wantsStatic() bool {
	return !cnb.IsFile(b.appFile(disabledFile)) && !b.staticDisabled() && b.managePy() != ""
}

func (b *build) staticDisabled() bool {
	value, set := b.env["DISABLE_COLLECTSTATIC"]
	return set && value != "0" && value != ""
}

// collectstatic gathers a Django app's static files, by Heroku's rules.
func (b *build) collectstatic(ctx context.Context, l *dependenciesLayer) error {
	if cnb.IsFile(b.appFile(disabledFile)) {
		b.out.Step("Skipping Django collectstatic since the file '%s' exists.", disabledFile)
		b.out.Block(`Warning: The %s file is deprecated.

Please remove the file, and set a config var of the app instead:

  slipway config:set DISABLE_COLLECTSTATIC=1`, disabledFile)
		return nil
	}
	if b.staticDisabled() {
		b.out.Step("Skipping Django collectstatic since the env var DISABLE_COLLECTSTATIC is set.")
		return nil
	}
	if !l.django {
		return nil
	}
	manage := b.managePy()
	if manage == "" {
		b.out.Step("Skipping Django collectstatic since no manage.py file found.")
		return nil
	}
	l.needed = true
	b.out.Step("$ python %s collectstatic --noinput", manage)
	out := &cnb.Indenter{W: b.out.W}
	env := b.appEnvironment(l)
	cmd := cnb.Command{
		Dir: b.app, Env: env, Out: out,
		Args: []string{l.bin("python"), manage, "collectstatic", "--noinput", "--traceback"},
	}
	err := errors.Join(cmd.Run(ctx), out.Close())
	if err == nil || !errors.Is(err, cnb.ErrExit) {
		return err
	}
	b.out.Block(`Error: Unable to generate Django static files.

The 'python %s collectstatic --noinput' Django
management command to generate static files failed.

See the traceback above for details.

You may need to update application code to resolve this error.
Or, you can disable collectstatic for this app:

  slipway config:set DISABLE_COLLECTSTATIC=1`, manage)
	if b.env["DEBUG_COLLECTSTATIC"] == "1" {
		b.out.Detail("****** Collectstatic environment variables:")
		for _, pair := range env.List() {
			b.out.Detail("%s", strings.ReplaceAll(pair, "\n", "\n       "))
		}
	}
	return cnb.ErrShown
}

// appEnvironment is what the app's own code runs with in a build.
func (b *build) appEnvironment(l *dependenciesLayer) cnb.Environment {
	path := filepath.Join(l.dir, "bin")
	if b.manager != nil {
		path += ":" + filepath.Dir(b.managerBin()) // hooks may call it, as on Heroku
	}
	if rest := b.env["PATH"]; rest != "" {
		path += ":" + rest
	}
	return b.env.With("PATH", path, "VIRTUAL_ENV", l.dir, "PYTHONPATH", b.app)
}

// managePy is the manage.py that lies least deep, at most three levels.
func (b *build) managePy() string {
	var found []string
	looked := 0
	err := filepath.WalkDir(b.app, func(path string, d fs.DirEntry, err error) error {
		if looked++; err != nil || looked > maxManageFiles {
			return fs.SkipDir
		}
		name, _ := filepath.Rel(b.app, path) // path is below app
		depth := strings.Count(name, "/") + 1
		switch {
		case d.Type().IsRegular() && d.Name() == "manage.py":
			found = append(found, name)
			if depth == 1 {
				return fs.SkipAll
			}
		case d.IsDir() && name != "." && depth >= manageDepth:
			return fs.SkipDir
		}
		return nil
	})
	if err != nil || len(found) == 0 {
		return ""
	}
	return slices.MinFunc(found, func(a, b string) int {
		if d := strings.Count(a, "/") - strings.Count(b, "/"); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
}
