package python

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"slipway/buildpacks/bundled/cnb"
)

// uvInstall runs uv. The app itself is installed if it is a package, as on
// Heroku.
func uvInstall(ctx context.Context, b *build, l *dependenciesLayer) error {
	b.out.Step("Installing dependencies using 'uv sync --locked --no-default-groups'")
	env := b.managerEnvironment(l).With(
		"UV_PROJECT_ENVIRONMENT", l.dir,
		// The virtual environment's Python is the builder's, and that it is the
		// one asked for keeps uv from making another environment.
		"UV_PYTHON", l.bin("python"), "UV_NO_MANAGED_PYTHON", "1", "UV_PYTHON_DOWNLOADS", "never",
		"UV_COMPILE_BYTECODE", "0", "UV_LINK_MODE", "copy", "UV_CACHE_DIR", filepath.Join(b.tmp, "cache"),
		"UV_NO_PROGRESS", "1",
	)
	log := &installLog{}
	locked := "--locked"
	if url := b.mirror(); url != "" && env["UV_DEFAULT_INDEX"] == "" && env["UV_INDEX_URL"] == "" {
		checked, err := b.uvFromMirror(ctx, l, env, log, url)
		if err != nil {
			return b.installed(err, log)
		}
		if checked {
			// Checked already. With an index that is not the lock's, it would
			// count as outdated; what packages need to be built comes from there.
			locked = "--frozen"
		}
		env["UV_DEFAULT_INDEX"] = url
	}
	out := &cnb.Indenter{W: b.out.W, See: log.see}
	cmd := cnb.Command{
		Dir: b.app, Env: env, Out: out,
		Args: []string{b.managerBin(), "sync", locked, "--no-default-groups", "--color", "never", "--no-progress"},
	}
	err := errors.Join(cmd.Run(ctx), out.Close())
	return b.installed(err, log)
}

// uvFromMirror installs what the lock has from PyPI, and tells whether the lock
// has been checked meanwhile. It does nothing where the lock has nothing of
// PyPI, or was made with the mirror itself.
func (b *build) uvFromMirror(
	ctx context.Context, l *dependenciesLayer, env cnb.Environment, log *installLog, url string,
) (checked bool, err error) {
	data, err := readLimited(b.appFile("uv.lock"), maxLock)
	if err != nil {
		return false, fmt.Errorf("read uv.lock: %w", err)
	}
	var lock uvLock
	_ = toml.Unmarshal(data, &lock) // uv says what is wrong with it
	ofPyPI := lock.from(pypi)
	if !slices.Contains(slices.Collect(maps.Values(ofPyPI)), true) || slices.Contains(slices.Collect(maps.Values(lock.from(url))), true) {
		return false, nil
	}
	file := filepath.Join(b.tmp, "exported.txt")
	err = b.ask(ctx, env, log, func([]byte) {}, b.managerBin(), "export", "--locked", "--offline", "--no-default-groups",
		"--color", "never", "--output-file", file)
	if err != nil {
		log.maybeOutdated = true // offline, uv cannot say that it is
		return false, err
	}
	exported, err := readLimited(file, maxLock)
	if err != nil {
		return false, fmt.Errorf("read what uv exported: %w", err)
	}
	return true, b.fromMirror(ctx, l, log, pinned(string(exported), ofPyPI))
}

var pinnedLine = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])? *== *[^ ]`)

// pinned are those lines of a requirements.txt that pin a version and hashes of
// a package in names.
func pinned(requirements string, names map[string]bool) []string {
	var out []string
	for line := range strings.Lines(strings.ReplaceAll(requirements, "\\\n", " ")) {
		m := pinnedLine.FindStringSubmatch(line)
		if m != nil && names[normal(m[1])] && strings.Contains(line, "--hash=sha") {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return out
}
