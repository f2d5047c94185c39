package project

import (
	"path"
	"slices"
	"strings"
)

const (
	maxPatterns = 1000
	maxPattern  = 1024 // bytes
)

// Patterns say which files of an app are meant, as a .gitignore at its root
// would: the last pattern that matches a name decides.
type Patterns struct{ all []pattern }

type pattern struct {
	segments []string // one, if it is for names at any depth
	literal  bool     // has none of a pattern's characters
	anywhere bool     // it has no slash but at its end
	folders  bool     // it is for folders alone
	negated  bool
}

// compile reads lines of a file. Empty ones and comments are left out; why a line
// cannot be taken is an error with its number.
func compile(file string, lines []string) (Patterns, error) {
	var p Patterns
	for i, line := range lines {
		one, ok := parse(line)
		switch {
		case len(line) > maxPattern:
			return p, bad(file, i+1, "the pattern %.40q… is too long: write at most %d bytes.", line, maxPattern)
		case !ok:
			continue
		case len(p.all) == maxPatterns:
			return p, bad(file, i+1, "there are more than %d patterns: name folders instead of single files.", maxPatterns)
		}
		p.all = append(p.all, one)
	}
	return p, nil
}

// parse reads one line (gitignore(5), "PATTERN FORMAT").
func parse(line string) (p pattern, ok bool) {
	line = trimRight(strings.TrimSuffix(line, "\r"))
	if line == "" || line[0] == '#' {
		return p, false
	}
	if line[0] == '!' {
		p.negated, line = true, line[1:]
	}
	if rest, is := strings.CutSuffix(line, "/"); is {
		p.folders, line = true, rest
	}
	p.anywhere = !strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if line == "" {
		return p, false
	}
	p.segments = strings.Split(line, "/")
	for i, s := range p.segments {
		if len(s) > 2 && strings.Trim(s, "*") == "" {
			p.segments[i] = "**" // to git, too
		}
	}
	p.literal = !strings.ContainsAny(line, `*?[\`)
	return p, true
}

// trimRight cuts spaces at the end, but for one behind a backslash.
func trimRight(line string) string {
	short := strings.TrimRight(line, " ")
	escapes := len(short) - len(strings.TrimRight(short, `\`))
	if escapes%2 == 1 && len(short) < len(line) {
		short += " "
	}
	return short
}

// match tells whether the last pattern that fits a name leaves it out, or in.
func (p Patterns) match(w *work, name string, folder bool) (matched, negated bool) {
	segments := strings.Split(name, "/")
	for _, one := range slices.Backward(p.all) {
		if one.fits(w, name, segments, folder) {
			return true, one.negated
		}
	}
	return false, false
}

func (p pattern) fits(w *work, name string, segments []string, folder bool) bool {
	switch {
	case !w.step(), p.folders && !folder:
		return false
	case p.anywhere && p.literal:
		return p.segments[0] == path.Base(name)
	case p.anywhere:
		return w.glob(p.segments[0], path.Base(name))
	case p.literal && len(p.segments) != len(segments):
		return false
	}
	return w.path(p.segments, segments)
}

// path matches a path by segments, of which ** are any number of folders.
func (w *work) path(pattern, name []string) bool {
	// As in glob, only the last ** can need another try.
	star, retry := -1, 0
	p, n := 0, 0
	for n < len(name) {
		if !w.step() {
			return false
		}
		if p < len(pattern) && pattern[p] == "**" {
			if p == len(pattern)-1 { // all inside a folder, not the folder
				return true
			}
			star, retry = p, n
			p++
			continue
		}
		if p < len(pattern) && w.glob(pattern[p], name[n]) {
			p, n = p+1, n+1
			continue
		}
		if star < 0 {
			return false
		}
		retry++
		p, n = star+1, retry
	}
	return p == len(pattern)
}
