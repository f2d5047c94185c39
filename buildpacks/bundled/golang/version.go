package golang

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A version is a release of Go: 1.21.0, or 1.27rc1.
type version struct {
	major, minor, patch int
	pre                 string // "rc1"; "" in a release
	text                string // as Go writes it, without "go"
}

var versionPattern = regexp.MustCompile(`^(?:go)?(\d{1,6})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?(?:-?([a-z][a-z0-9.]*))?$`)

func parseVersion(text string) (version, bool) {
	m := versionPattern.FindStringSubmatch(text)
	if m == nil {
		return version{}, false
	}
	return version{number(m[1]), number(m[2]), number(m[3]), m[4], strings.TrimPrefix(text, "go")}, true
}

// number is what digits say, which the pattern has counted.
func number(digits string) int {
	n, _ := strconv.Atoi(digits) // "" is 0
	return n
}

func (v version) compare(w version) int {
	if c := cmp.Or(cmp.Compare(v.major, w.major), cmp.Compare(v.minor, w.minor), cmp.Compare(v.patch, w.patch)); c != 0 {
		return c
	}
	switch {
	case v.pre == w.pre:
		return 0
	case v.pre == "":
		return 1
	case w.pre == "":
		return -1
	}
	return strings.Compare(v.pre, w.pre)
}

// series is "1.26" for 1.26.8.
func (v version) series() string { return fmt.Sprintf("%d.%d", v.major, v.minor) }

// module is the version of the module golang.org/toolchain.
func (v version) module() string { return "v0.0.1-go" + v.text + platformSuffix }

const platformSuffix = ".linux-amd64"

// A requirement is what go.mod asks for, in the words of package buildpacks:
// "=1.26", "~1.18.1", ">=1.20, <1.22", "*". It means what it means to Heroku,
// whose buildpack reads it as Cargo does.
type requirement []comparator

type comparator struct {
	op    string
	want  version
	known int // how many of the three numbers are given
}

var comparatorPattern = regexp.MustCompile(`^(=|>=?|<=?|~|\^)?(\d{1,6})(?:\.(\d{1,6}|\*))?(?:\.(\d{1,6}|\*))?(?:-?([a-z][a-zA-Z0-9.-]*))?$`)

func parseRequirement(text string) (requirement, error) {
	if text == "" || text == "*" {
		return nil, nil
	}
	var r requirement
	for part := range strings.SplitSeq(text, ",") {
		m := comparatorPattern.FindStringSubmatch(strings.ReplaceAll(strings.TrimSpace(part), " ", ""))
		if m == nil {
			return nil, fmt.Errorf("read the Go version %q", text)
		}
		c := comparator{op: m[1], want: version{number(m[2]), 0, 0, m[5], ""}, known: 1}
		for i, field := range []*int{&c.want.minor, &c.want.patch} {
			if n := m[3+i]; n != "" && n != "*" && c.known == 1+i {
				*field, c.known = number(n), c.known+1
			}
		}
		r = append(r, c)
	}
	return r, nil
}

// matches tells whether v will do. A version before its release is meant only
// where it is named.
func (r requirement) matches(v version) bool {
	named := v.pre == ""
	for _, c := range r {
		if !c.matches(v) {
			return false
		}
		named = named || c.want.pre == v.pre && c.want.minor == v.minor && c.want.major == v.major
	}
	return named
}

func (c comparator) matches(v version) bool {
	switch c.op {
	case ">":
		return v.compare(c.want) > 0 && !c.begins(v, c.known)
	case ">=":
		return v.compare(c.want) >= 0
	case "<":
		return v.compare(c.want) < 0
	case "<=":
		return v.compare(c.want) < 0 || c.begins(v, c.known)
	case "~":
		return v.compare(c.want) >= 0 && c.begins(v, min(c.known, 2))
	case "^":
		return v.compare(c.want) >= 0 && c.begins(v, 1)
	default:
		return c.begins(v, c.known)
	}
}

// begins tells whether v has the first numbers that are wanted; with all three,
// also what comes after them.
func (c comparator) begins(v version, numbers int) bool {
	return v.major == c.want.major && (numbers < 2 || v.minor == c.want.minor) &&
		(numbers < 3 || v.patch == c.want.patch && (c.op == ">" || v.pre == c.want.pre))
}

// exact is the one version that r can be, if it says one.
func (r requirement) exact() (version, bool) {
	for _, c := range r {
		if (c.op == "" || c.op == "=") && c.known == 3 {
			v := c.want
			v.text = fmt.Sprintf("%d.%d.%d%s", v.major, v.minor, v.patch, v.pre)
			if v.patch == 0 && v.minor < 21 {
				v.text = v.series() + v.pre // before 1.21 the first release has no third number
			}
			return v, true
		}
	}
	return version{}, false
}

// newest is the newest of the versions that will do.
func (r requirement) newest(versions []version) (version, bool) {
	var best version
	for _, v := range versions {
		if r.matches(v) && (best.text == "" || v.compare(best) > 0) {
			best = v
		}
	}
	return best, best.text != ""
}
