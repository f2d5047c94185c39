package python

import (
	"bytes"
	"errors"
	"regexp"

	"slipway/buildpacks/bundled/cnb"
)

// An installLog looks, in what package managers print, for troubles that have
// an explanation.
type installLog struct {
	hint     string
	noIndex  bool // the index is out of reach
	outdated bool // the lock does not fit what the app asks for
	// maybeOutdated is for a manager that could not tell.
	maybeOutdated bool
}

func (l *installLog) see(line []byte) {
	switch {
	case noIndexLine.Match(line):
		l.noIndex = true
	case outdatedLine.Match(line):
		l.outdated = true
	case l.hint == "":
		lower := bytes.ToLower(line)
		for _, h := range buildHints {
			if bytes.Contains(lower, []byte(h.sign)) {
				l.hint = h.text
				return
			}
		}
	}
}

// noIndexLine is what a manager itself says when the index cannot be reached.
// pip says so when it has no more than one try left, or none: an earlier one may
// yet succeed, and what a package's own setup code cannot reach is not the
// index. A pip that installs what a build needs is indented.
var noIndexLine = regexp.MustCompile(`^\s*(?:\[pipenv[\w.]*\]:\s*)?(?:WARNING: Retrying \(Retry\(total=0,.*\) after connection broken by |` +
	`ERROR: Could not install packages due to an OSError: HTTPS?ConnectionPool\().*` +
	`(?:NewConnectionError|NameResolutionError|ConnectTimeoutError)` +
	`|^\s*(?:\| )?All attempts to connect to \S+ failed\.` + // Poetry
	`|^\s*(?:[├╰─▶>│ ]|Caused by: )*(?:Could not connect, are you offline\?|client error \(Connect\)|dns error: )`) // uv

// outdatedLine is what Pipenv, Poetry and uv say of a lock that is older than
// what it is made from.
var outdatedLine = regexp.MustCompile(`^\s*Your Pipfile\.lock \(\w*\) is out of date\.` +
	`|pyproject\.toml changed significantly since poetry\.lock was last generated` +
	`|poetry\.lock is not up to date with pyproject\.toml` +
	"|The lockfile at `uv\\.lock` needs to be updated, but `--locked` was provided")

// installed says what an installation came to: nothing if err is nil.
func (b *build) installed(err error, log *installLog) error {
	if err == nil || !errors.Is(err, cnb.ErrExit) {
		return err
	}
	title := "pip"
	if b.manager != nil {
		title = b.manager.title
	}
	switch {
	case log.outdated || log.maybeOutdated && !log.noIndex:
		b.out.Block("%s", outdatedText(b.manager, log.outdated))
	case log.noIndex:
		b.out.Block("%s", noIndexText(indexOf[title][0], indexOf[title][1]))
	case log.hint != "":
		b.out.Block("%s", log.hint)
	}
	return b.out.Fail("Error: Unable to install dependencies using %s.\n\nSee the log output above for more information.", title)
}
