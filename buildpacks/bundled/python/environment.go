package python

import (
	"path/filepath"

	"slipway/buildpacks/bundled/cnb"
)

// moved are variables that would make Python or a package manager look or
// install elsewhere, or other things than the command line says.
var moved = []string{
	"PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONEXECUTABLE", "PYTHONPYCACHEPREFIX", "VIRTUAL_ENV",
	"PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON", "PIP_REQUIREMENT",
	"PIPENV_IGNORE_VIRTUALENVS", "PIPENV_VENV_IN_PROJECT", "PIPENV_SYSTEM", "PIPENV_PYTHON", "PIPENV_PIPFILE",
	"PIPENV_DEV", "PIPENV_SKIP_LOCK", "UV_SYSTEM_PYTHON", "UV_PROJECT", "UV_WORKING_DIRECTORY", "UV_FROZEN", "UV_LOCKED",
	"UV_OFFLINE", "CONDA_PREFIX", "CONDA_DEFAULT_ENV",
}

// newEnvironment is environ, what the platform gives beside it, and what
// makes builds repeatable.
func newEnvironment(environ []string, platform map[string]string) cnb.Environment {
	env := cnb.NewEnvironment(environ, platform, moved...)
	env["PYTHONUNBUFFERED"] = "1"
	env["PYTHONDONTWRITEBYTECODE"] = "1" // its files would differ from build to build
	env["LANG"] = "C.UTF-8"
	env.Default(
		"CC", "gcc", "CXX", "g++", "LDSHARED", "gcc -shared", "LDCXXSHARED", "g++ -shared", "AR", "ar",
		"CFLAGS", "-g0", // debug information names random directories
		"SOURCE_DATE_EPOCH", "315532800", // 1980, the oldest that zip files know
	)
	return env
}

// managerEnvironment is what a package manager runs with that installs into l.
func (b *build) managerEnvironment(l *dependenciesLayer) cnb.Environment {
	path := filepath.Join(l.dir, "bin")
	if rest := b.env["PATH"]; rest != "" {
		path += ":" + rest
	}
	return b.env.With("PATH", path, "VIRTUAL_ENV", l.dir)
}
