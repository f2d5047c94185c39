package python

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"slipway/buildpacks/bundled/cnb"
)

// Poetry and uv hold to PyPI what a lock has from there: neither has a setting
// by which an operator could put a mirror in its place. (Poetry has none at
// all; uv takes the lock for outdated if the index is another.) So where
// PIP_INDEX_URL names a mirror, the manager is asked what it would install,
// which takes no network. pip installs what of that is PyPI's, by the hashes of
// the lock. Then the manager runs as ever: it finds these installed, adds the
// rest, and has the last word.

// mirror is the index that stands in for PyPI; empty if none does.
func (b *build) mirror() string {
	url := strings.TrimSuffix(b.env["PIP_INDEX_URL"], "/")
	if url == pypi {
		return ""
	}
	return url
}

// fromMirror installs the given lines of a requirements.txt, each with hashes.
func (b *build) fromMirror(ctx context.Context, l *dependenciesLayer, log *installLog, lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	file := filepath.Join(b.tmp, "requirements.txt")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return fmt.Errorf("list packages for the mirror: %w", err)
	}
	b.out.Detail("Packages of PyPI come from the index that PIP_INDEX_URL names")
	out := &cnb.Indenter{W: b.out.W, See: log.see}
	cmd := cnb.Command{
		Dir: b.app, Env: b.env, Out: out,
		Args: b.pipCommand(l, "--no-deps", "--require-hashes", "--requirement", file),
	}
	return errors.Join(cmd.Run(ctx), out.Close())
}

// ask runs a command of a manager whose output is for us, and shown only if it
// fails.
func (b *build) ask(ctx context.Context, env cnb.Environment, log *installLog, see func(line []byte), args ...string) error {
	heard := &limited{most: 1 << 20}
	lines := &cnb.Indenter{W: heard, See: func(line []byte) {
		log.see(line)
		see(line)
	}}
	err := errors.Join(cnb.Command{Dir: b.app, Env: env, Out: lines, Args: args}.Run(ctx), lines.Close())
	if err != nil {
		_, _ = b.out.W.Write(heard.Bytes()) // nobody is left to tell
	}
	return err
}

// limited keeps the first bytes that are written to it.
type limited struct {
	bytes.Buffer
	most int
}

// Write keeps what there is room for.
func (l *limited) Write(p []byte) (int, error) {
	l.Buffer.Write(p[:min(len(p), max(0, l.most-l.Len()))])
	return len(p), nil
}

var separators = regexp.MustCompile(`[-_.]+`)

// normal is a package's name as indexes compare it.
func normal(name string) string { return strings.ToLower(separators.ReplaceAllString(name, "-")) }
