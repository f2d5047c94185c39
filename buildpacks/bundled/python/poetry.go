package python

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"

	"slipway/buildpacks/bundled/cnb"
)

// poetryInstall runs Poetry. The app itself is installed if it is a package, as
// on Heroku.
func poetryInstall(ctx context.Context, b *build, l *dependenciesLayer) error {
	const oldest = 2 // of those that have `poetry sync`
	args := []string{"sync", "--only", "main"}
	if l.manager.major() < oldest {
		args = []string{"install", "--sync", "--only", "main"}
	}
	b.out.Step("Installing dependencies using 'poetry %s'", strings.Join(args, " "))
	env := b.managerEnvironment(l).With(
		"POETRY_VIRTUALENVS_CREATE", "false", "POETRY_CACHE_DIR", filepath.Join(b.tmp, "cache"),
		"POETRY_KEYRING_ENABLED", "false", // there is none, and looking for one takes time
	)
	args = append(append([]string{b.managerBin()}, args...), "--no-ansi", "--no-interaction")
	log := &installLog{}
	if b.mirror() != "" {
		lines, err := b.poetryAsks(ctx, env, log, args)
		if err == nil {
			err = b.fromMirror(ctx, l, log, lines)
		}
		if err != nil {
			return b.installed(err, log)
		}
	}
	out := &cnb.Indenter{W: b.out.W, See: log.see}
	err := cnb.Command{Dir: b.app, Env: env, Out: out, Args: args}.Run(ctx)
	return b.installed(errors.Join(err, out.Close()), log)
}

// poetryLine is how Poetry speaks of a package of an index; another's version
// is followed by where it comes from.
var poetryLine = regexp.MustCompile(`^\s*[-•] (?:Installing|Updating|Downgrading) ([A-Za-z0-9._-]+) \((?:[^\s()]+ -> )?([^\s()]+)\)$`)

// poetryAsks lists what Poetry would install from PyPI.
func (b *build) poetryAsks(ctx context.Context, env cnb.Environment, log *installLog, args []string) ([]string, error) {
	data, err := readLimited(b.appFile("poetry.lock"), maxLock)
	if err != nil {
		return nil, fmt.Errorf("read poetry.lock: %w", err)
	}
	var lock poetryLock
	_ = toml.Unmarshal(data, &lock) // Poetry says what is wrong with it
	known := lock.requirements()
	var lines []string
	err = b.ask(ctx, env, log, func(line []byte) {
		m := poetryLine.FindSubmatch(line)
		if m == nil {
			return
		}
		if r := known[normal(string(m[1]))+"=="+string(m[2])]; r != "" {
			lines = append(lines, r)
		}
	}, append(args, "--dry-run")...)
	return lines, err
}

// requirements are the lines of a requirements.txt for the packages of PyPI,
// by name and version.
func (l poetryLock) requirements() map[string]string {
	out := make(map[string]string)
	for _, p := range l.Packages {
		if p.Source.Type != "" {
			continue
		}
		files := p.Files
		if len(files) == 0 {
			files = l.Metadata.Files[p.Name]
		}
		spec := normal(p.Name) + "==" + p.Version
		line := []string{spec}
		for _, f := range files {
			if strings.HasPrefix(f.Hash, "sha") { // pip takes no weaker ones
				line = append(line, "--hash="+f.Hash)
			}
		}
		if len(line) > 1 {
			out[spec] = strings.Join(line, " ")
		}
	}
	return out
}
