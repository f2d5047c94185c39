package project

import "strings"

// work bounds what matching may cost, whatever the patterns are. Each step
// takes some nanoseconds.
type work struct{ left int64 }

func (w *work) step() bool {
	w.left--
	return w.left >= 0
}

// glob matches one name against one segment of a pattern, as git's wildmatch
// does: bytes, *, ?, sets and backslashes.
func (w *work) glob(pattern, name string) bool {
	// Only the last star can need another try: what stands before an earlier one
	// has matched as soon as it could.
	star, retry := -1, 0
	p, n := 0, 0
	for n < len(name) {
		if !w.step() {
			return false
		}
		if p < len(pattern) && pattern[p] == '*' {
			star, retry = p, n
			p++
			continue
		}
		if p < len(pattern) {
			if next, ok := one(pattern[p:], name[n]); ok {
				p += next
				n++
				continue
			}
		}
		if star < 0 {
			return false
		}
		retry++
		p, n = star+1, retry
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// one matches a byte against the beginning of a pattern, and returns how much
// of the pattern that took.
func one(pattern string, b byte) (int, bool) {
	switch pattern[0] {
	case '?':
		return 1, true
	case '[':
		return set(pattern, b)
	case '\\':
		if len(pattern) == 1 {
			return 0, false
		}
		return 2, pattern[1] == b
	}
	return 1, pattern[0] == b
}

// set matches a byte against a set, [a-z]. One without an end matches nothing.
func set(pattern string, b byte) (int, bool) {
	i := 1
	negated := len(pattern) > 1 && (pattern[1] == '!' || pattern[1] == '^')
	if negated {
		i++
	}
	found := false
	for first := i; ; {
		if i >= len(pattern) {
			return 0, false
		}
		if pattern[i] == ']' && i > first {
			return i + 1, found != negated
		}
		next, in, ok := part(pattern, i, b)
		if !ok {
			return 0, false
		}
		found, i = found || in, next
	}
}

// part matches a byte against what stands at i in a set: a class, a range or a
// byte.
func part(pattern string, i int, b byte) (next int, in, ok bool) {
	if name, rest, is := class(pattern[i:]); is {
		of, known := classes[name]
		return len(pattern) - len(rest), known && of(b), known
	}
	low, next, ok := member(pattern, i)
	if !ok {
		return 0, false, false
	}
	high := low
	if next+1 < len(pattern) && pattern[next] == '-' && pattern[next+1] != ']' {
		high, next, ok = member(pattern, next+1)
	}
	return next, low <= b && b <= high, ok
}

// member reads a byte of a set.
func member(pattern string, i int) (b byte, next int, ok bool) {
	if pattern[i] == '\\' {
		i++
	}
	if i >= len(pattern) {
		return 0, 0, false
	}
	return pattern[i], i + 1, true
}

// class reads the name of a class, [:alpha:].
func class(pattern string) (name, rest string, ok bool) {
	inner, found := strings.CutPrefix(pattern, "[:")
	if !found {
		return "", "", false
	}
	return strings.Cut(inner, ":]")
}

// classes are those of POSIX, in ASCII.
var classes = map[string]func(byte) bool{
	"alpha":  isAlpha,
	"alnum":  func(b byte) bool { return isAlpha(b) || isDigit(b) },
	"blank":  func(b byte) bool { return b == ' ' || b == '\t' },
	"cntrl":  func(b byte) bool { return b < ' ' || b == 0x7f },
	"digit":  isDigit,
	"graph":  isGraph,
	"lower":  func(b byte) bool { return b >= 'a' && b <= 'z' },
	"print":  func(b byte) bool { return isGraph(b) || b == ' ' },
	"punct":  func(b byte) bool { return isGraph(b) && !isAlpha(b) && !isDigit(b) },
	"space":  func(b byte) bool { return b == ' ' || b >= '\t' && b <= '\r' },
	"upper":  func(b byte) bool { return b >= 'A' && b <= 'Z' },
	"xdigit": func(b byte) bool { return isDigit(b) || b|0x20 >= 'a' && b|0x20 <= 'f' },
}

func isAlpha(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }
func isDigit(b byte) bool { return b >= '0' && b <= '9' }
func isGraph(b byte) bool { return b > ' ' && b < 0x7f }
