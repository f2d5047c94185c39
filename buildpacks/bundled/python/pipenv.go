package python

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"slipway/buildpacks/bundled/cnb"
)

// pipenvInstall runs Pipenv, which does not install what a lock is no more up
// to date for, and only with --deploy ends with an error then.
func pipenvInstall(ctx context.Context, b *build, l *dependenciesLayer) error {
	b.out.Step("Installing dependencies using 'pipenv install --deploy'")
	env := b.managerEnvironment(l).With(
		"PIPENV_VERBOSITY", "-1", // no word of the virtual environment that it finds itself in
		"COLUMNS", "1000", // it breaks lines otherwise, those of pip too
		"PIPENV_NOSPIN", "1", "PIPENV_HIDE_EMOJIS", "1", "PIPENV_YES", "1",
		"PIPENV_CACHE_DIR", filepath.Join(b.tmp, "cache"),
		"PIP_COMPILE", "0", "PIP_DISABLE_PIP_VERSION_CHECK", "1", "PIP_NO_INPUT", "1", "PIP_PROGRESS_BAR", "off",
		"PIP_ROOT_USER_ACTION", "ignore", "PIP_SRC", filepath.Join(l.dir, "src"),
	)
	if url := b.mirror(); strings.HasPrefix(url, "http") { // Pipenv knows no others
		env.Default("PIPENV_PYPI_MIRROR", url)
	}
	log := &installLog{}
	out := &cnb.Indenter{W: b.out.W, See: log.see}
	cmd := cnb.Command{Dir: b.app, Env: env, Out: out, Args: []string{b.managerBin(), "install", "--deploy"}}
	err := errors.Join(cmd.Run(ctx), out.Close())
	return b.installed(err, log)
}
