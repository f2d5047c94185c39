package python

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/buildpacks/libcnb"

	"slipway/buildpacks/bundled/cnb"
)

// A managerLayer has a package manager in a virtual environment of its own, of
// which bin shows nothing but the manager: neither its Python nor the commands
// of what it depends on are the app's.
type managerLayer struct {
	manager manager
	runtime runtime
	stack   string
	python  string // directory of the python layer
	dir     string
	cached  bool // it was restored, and is right as it is
}

var _ libcnb.LayerContributor = (*managerLayer)(nil)

func (b *build) managerLayer() (*managerLayer, error) {
	layer, err := b.layers.Layer(b.manager.id)
	if err != nil {
		return nil, err
	}
	l := &managerLayer{
		manager: *b.manager, runtime: b.runtime, stack: b.stack,
		python: filepath.Join(b.layers.Path, pythonLayerName), dir: layer.Path,
	}
	_, err = os.Lstat(l.bin())
	l.cached = err == nil && cnb.Same(layer.Metadata, l.metadata())
	return l, nil
}

func (l *managerLayer) metadata() map[string]any {
	return map[string]any{
		"layout": layout, "stack": l.stack, "python": l.runtime.version, "builder": l.runtime.id,
		"version": l.manager.version,
	}
}

// Name is the name of the layer.
func (l *managerLayer) Name() string { return l.manager.id }

// Contribute keeps the layer for the next build.
func (l *managerLayer) Contribute(layer libcnb.Layer) (libcnb.Layer, error) {
	layer.LayerTypes = libcnb.LayerTypes{Cache: true, Launch: l.manager.atLaunch}
	layer.Metadata = l.metadata()
	if l.manager.atLaunch {
		// No word of the virtual environment that it finds itself in.
		layer.LaunchEnvironment.Default("PIPENV_VERBOSITY", "-1")
	}
	return layer, nil
}

func (l *managerLayer) venv() string { return filepath.Join(l.dir, "venv") }

// bin is the manager's command.
func (l *managerLayer) bin() string { return filepath.Join(l.dir, "bin", l.manager.id) }

// installManager fills the layer of the package manager from the index.
func (b *build) installManager(ctx context.Context, l *managerLayer) error {
	m := l.manager
	if l.cached {
		b.out.Step("Using cached %s %s", m.title, m.version)
		return nil
	}
	b.out.Step("Installing %s %s", m.title, m.version)
	if err := makeVenv(l.venv(), l.dir, l.python, l.runtime); err != nil {
		return err
	}
	log := &installLog{}
	out := &cnb.Indenter{W: b.out.W, See: log.see}
	cmd := cnb.Command{
		Dir: l.dir, Env: indexOnly(b.env), Out: out,
		Args: []string{
			filepath.Join(b.runtime.home, "bin", "python3"), "-m", "pip", "--python", filepath.Join(l.venv(), "bin", "python"),
			"install", "--disable-pip-version-check", "--no-cache-dir", "--no-compile", "--no-input", "--quiet",
			"--progress-bar=off", "--root-user-action=ignore", m.id + "==" + m.version,
		},
	}
	err := errors.Join(cmd.Run(ctx), out.Close())
	switch {
	case err == nil:
	case !errors.Is(err, cnb.ErrExit):
		return err
	case log.noIndex:
		b.out.Block("%s", noIndexText(m.title+" itself is installed from the Python package index.", ""))
		return b.out.Fail("Error: Unable to install %s.", m.title)
	default:
		return b.out.Fail(`Error: Unable to install %[1]s.

%[1]s %[2]s is installed from the Python package index before
your app's packages are. See the log output above for what
went wrong there.

If the index that the server is set up for lacks this version,
name one that it has, for this app or as operator for all:

  slipway config:set %[3]s=VERSION
  slipway serve --build-env %[3]s=VERSION`, m.title, m.version, m.versionVariable())
	}
	if err := os.MkdirAll(filepath.Dir(l.bin()), 0o755); err != nil {
		return fmt.Errorf("make room for %s: %w", m.id, err)
	}
	if err := os.Symlink(filepath.Join("..", "venv", "bin", m.id), l.bin()); err != nil {
		return fmt.Errorf("link %s: %w", m.id, err)
	}
	return b.compile(ctx, l.venv(), l.runtime)
}

// indexOnly is env with those of pip's settings only that tell where the index
// is and how to get there: what else an app sets for its own packages (build
// options, constraints) is not meant for the package manager.
func indexOnly(env cnb.Environment) cnb.Environment {
	out := env.With()
	for name := range out {
		if setting, ok := strings.CutPrefix(name, "PIP_"); ok && !indexSettings[setting] {
			delete(out, name)
		}
	}
	return out
}

var indexSettings = map[string]bool{
	"INDEX_URL": true, "EXTRA_INDEX_URL": true, "FIND_LINKS": true, "NO_INDEX": true, "TRUSTED_HOST": true,
	"CERT": true, "CLIENT_CERT": true, "PROXY": true, "TIMEOUT": true, "DEFAULT_TIMEOUT": true, "RETRIES": true,
}

// managerBin is the manager's command, there or not.
func (b *build) managerBin() string {
	return filepath.Join(b.layers.Path, b.manager.id, "bin", b.manager.id)
}
