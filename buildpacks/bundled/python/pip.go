package python

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// install fills the dependencies layer from scratch: pip does not remove what
// is not asked for any more.
func (b *build) install(ctx context.Context, l *dependenciesLayer) error {
	if err := l.venv(); err != nil {
		return err
	}
	b.out.step("Installing dependencies using 'pip install -r %s'", requirementsTxt)
	if l.asked.empty {
		b.out.detail("%s asks for no packages", requirementsTxt)
		l.django = false
		return nil
	}
	if err := b.pip(ctx, l); err != nil {
		return err
	}
	if err := b.compile(ctx, l); err != nil {
		return err
	}
	l.django = isFile(filepath.Join(l.site(), "django", "__init__.py"))
	b.out.step("Saving cache")
	return nil
}

func (b *build) pip(ctx context.Context, l *dependenciesLayer) error {
	if err := os.MkdirAll(filepath.Join(l.dir, "src"), 0o755); err != nil {
		return fmt.Errorf("make room for editable packages: %w", err)
	}
	log := &pipLog{}
	out := &indenter{w: b.out.w, see: log.see}
	cmd := command{
		dir: b.app, env: b.env, out: out,
		args: []string{
			filepath.Join(b.runtime.home, "bin", "python3"), "-m", "pip", "--python", l.bin("python"),
			"install", "--requirement", requirementsTxt,
			"--disable-pip-version-check", "--exists-action=w", "--no-cache-dir", "--no-compile", "--no-input",
			"--progress-bar=off", "--root-user-action=ignore", "--src", filepath.Join(l.dir, "src"),
		},
	}
	err := errors.Join(cmd.run(ctx), out.Close())
	if err == nil {
		// Left behind empty where nothing is editable.
		_ = os.Remove(filepath.Join(l.dir, "src")) // otherwise it is wanted
		return nil
	}
	if !errors.Is(err, errExit) {
		return err
	}
	if log.hint != "" {
		b.out.block("%s", log.hint)
	}
	return b.out.fail("Error: Unable to install dependencies using pip.\n\nSee the log output above for more information.")
}

// compile makes the bytecode that pip was told not to make. It names no times
// and is not checked against the sources, whose times the image does not keep.
func (b *build) compile(ctx context.Context, l *dependenciesLayer) error {
	out := &indenter{w: b.out.w}
	cmd := command{
		dir: l.dir, out: out,
		env: b.env.with("PYTHONHASHSEED", "0"), // sets in bytecode are in its order
		args: []string{
			l.bin("python"), "-m", "compileall", "-q", "-q", "--invalidation-mode", "unchecked-hash", l.site(),
		},
	}
	err := errors.Join(cmd.run(ctx), out.Close())
	if err != nil && !errors.Is(err, errExit) { // some packages bring templates that are no Python
		return fmt.Errorf("compile the installed packages: %w", err)
	}
	return nil
}

// A pipLog looks for troubles that Heroku explains.
type pipLog struct{ hint string }

func (p *pipLog) see(line []byte) {
	if p.hint != "" {
		return
	}
	if noIndexLine.Match(line) {
		p.hint = noIndex
		return
	}
	lower := bytes.ToLower(line)
	for _, h := range pipHints {
		if bytes.Contains(lower, []byte(h.sign)) {
			p.hint = h.text
			return
		}
	}
}

// noIndexLine is what pip itself says when it has no more than one try left,
// or none: an earlier one may yet succeed, and what a package's own setup code
// cannot reach is not the index. A pip that installs what a build needs is
// indented.
var noIndexLine = regexp.MustCompile(`^\s*(WARNING: Retrying \(Retry\(total=0,.*\) after connection broken by |` +
	`ERROR: Could not install packages due to an OSError: HTTPS?ConnectionPool\().*` +
	`(NewConnectionError|NameResolutionError|ConnectTimeoutError)`)

var pipHints = []struct{ sign, text string }{
	{"could not find gdal-config", `Error: Package installation failed since the GDAL library wasn't found.

GDAL, GEOS and PROJ aren't part of the builder. Use wheels that bring
them, or a builder that has them.`},
	{"sqlite3.h: no such file or directory", `Error: Package installation failed since SQLite headers weren't found.

The SQLite headers aren't part of the builder since most apps don't
require them.

If you're trying to install the 'pysqlite3' package, we recommend
using the virtually identical 'sqlite3' module in Python's standard
library instead:
https://docs.python.org/3/library/sqlite3.html

Alternatively, update your 'pysqlite3' package to 0.6.0 or newer, or
use 'pysqlite3-binary', which are published as compiled wheels.`},
	{"please use pip<24.1 if you need to use this version", `Error: One of your dependencies contains broken metadata.

Newer versions of pip reject packages that use invalid versions
in their metadata (such as Celery older than v5.2.1).

Try upgrading to a newer version of the affected package.`},
}

const noIndex = `Error: The Python package index couldn't be reached.

Packages are installed from https://pypi.org unless your app or the
server is set up for another index. Where PyPI is out of reach, the
operator of the server names a mirror, and opens the way to it if it
is on a private address:

  slipway serve --build-env PIP_INDEX_URL=http://HOST:PORT/simple \
    --build-reach HOST:PORT

An --index-url line in your app's requirements.txt wins over that.`
