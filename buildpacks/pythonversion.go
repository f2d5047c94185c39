package buildpacks

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

const (
	runtimeTxt  = "runtime.txt"
	versionFile = ".python-version"

	oldestMinor = 10
	newestMinor = 14
)

// latestPatch is the newest patch release that Heroku knows of 3.N, used
// where the builder's own list is not known.
var latestPatch = map[int]int{10: 21, 11: 16, 12: 14, 13: 15, 14: 7}

// misspelt are the misspellings of .python-version that Heroku has seen.
var misspelt = []string{
	" .python-version", ". python-version", ".python_version.txt", ".python_version",
	".python-version ", ",python-version", ".python-version.", ".python-version.py",
	".python-version.rtf", ".python-version.txt", ".python-version.TXT", ".Python-version",
	".python.version", ".pythonversion", "'.python-version'", "python_version.txt",
	"python_version", "python-version.", "python-version.txt", "python-version",
}

// A pyVersion is N.N or N.N.N. A patch of -1 means any.
type pyVersion struct{ x, y, patch int }

func (v pyVersion) major() string { return strconv.Itoa(v.x) + "." + strconv.Itoa(v.y) }

func (v pyVersion) String() string {
	if v.patch < 0 {
		return v.major()
	}
	return v.major() + "." + strconv.Itoa(v.patch)
}

func (v pyVersion) compare(o pyVersion) int {
	return cmp.Or(cmp.Compare(v.x, o.x), cmp.Compare(v.y, o.y), cmp.Compare(v.patch, o.patch))
}

func (v pyVersion) endOfLife() bool { return v.x < 3 || v.x == 3 && v.y < oldestMinor }

// parseVersion reads N.N or N.N.N without leading zeros. A number too long
// for any release counts as the largest there is.
func parseVersion(s string) (pyVersion, bool) {
	parts := strings.Split(s, ".")
	if len(parts) < 2 || len(parts) > 3 {
		return pyVersion{}, false
	}
	v := pyVersion{patch: -1}
	for i, part := range parts {
		n, ok := number(part)
		if !ok {
			return pyVersion{}, false
		}
		*[]*int{&v.x, &v.y, &v.patch}[i] = n
	}
	return v, true
}

func number(s string) (int, bool) {
	if s == "" || len(s) > 1 && s[0] == '0' || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	if most := 999_999_999; err != nil || n > most {
		n = most
	}
	return n, true
}

func parseFull(s string) (pyVersion, bool) {
	v, ok := parseVersion(s)
	return v, ok && v.patch >= 0
}

// A versionLine is a line that says something, with its number.
type versionLine struct {
	text string
	n    int
}

// trimmedLines drops white space around each line, empty lines and comments.
func trimmedLines(data []byte) []versionLine {
	const most = 1000 // more than any message shows
	var found []versionLine
	n := 0
	for line := range strings.SplitSeq(string(data), "\n") {
		n++
		line = strings.TrimFunc(line, isSpace)
		if line == "" || line[0] == '#' {
			continue
		}
		if found = append(found, versionLine{line, n}); len(found) == most {
			break
		}
	}
	return found
}

// isSpace is [[:space:]] of a UTF-8 locale: no-break spaces are none.
func isSpace(r rune) bool {
	switch r {
	case 0x85, 0xA0, 0x2007, 0x202F:
		return false
	}
	return unicode.IsSpace(r)
}

// available are the builder's versions, newest first.
func (d *detector) available() []pyVersion {
	var have []pyVersion
	for _, s := range d.options.Python {
		if v, ok := parseFull(s); ok {
			have = append(have, v)
		}
	}
	slices.SortFunc(have, func(a, b pyVersion) int { return b.compare(a) })
	return slices.Compact(have)
}

// newest is the newest patch release of v's major version: the builder's, or
// Heroku's where no list is known.
func (d *detector) newest(v pyVersion) (pyVersion, bool) {
	if len(d.options.Python) == 0 {
		patch, ok := latestPatch[v.y]
		return pyVersion{v.x, v.y, patch}, ok && v.x == 3
	}
	for _, have := range d.available() {
		if have.x == v.x && have.y == v.y {
			return have, true
		}
	}
	return pyVersion{}, false
}

// defaultPython is Heroku's default, or the newest major version that the
// builder has when it lacks that.
func (d *detector) defaultPython() string {
	fallback := pyVersion{3, newestMinor, -1}
	if _, ok := d.newest(fallback); ok {
		return fallback.major()
	}
	if have := d.available(); len(have) > 0 {
		return have[0].major()
	}
	return fallback.major()
}

// pythonResolve turns the version asked for into a full one.
func (d *detector) pythonResolve() error {
	asked, _ := parseVersion(d.plan.Version.Requested)
	origin := d.plan.Version.Origin
	newest, ok := d.newest(asked)
	switch {
	case asked.endOfLife():
		return d.endOfLife(asked, origin)
	case !ok && (asked.x > 3 || asked.y > newestMinor):
		return d.unknownMajor(asked, origin)
	case asked.patch < 0 && ok:
		d.plan.Version.Resolved = newest.String()
	case asked.patch >= 0 && (len(d.options.Python) == 0 || slices.Contains(d.available(), asked)):
		d.plan.Version.Resolved = asked.String()
	default:
		d.plan.Unavailable = d.unavailable(asked, origin)
	}
	return nil
}

// pythonAdvice refuses or warns about how the version was said.
func (d *detector) pythonAdvice() error {
	v, _ := parseVersion(d.plan.Version.Requested)
	origin := d.plan.Version.Origin
	uv := d.plan.PackageManager == "uv"
	switch origin {
	case "default", "cached":
		if uv {
			return uvWithoutVersion(v.major())
		}
		d.warn("python-version::unspecified", noVersionText, instructions(origin, v.major()))
	case runtimeTxt:
		if uv {
			return uvWithRuntimeTxt(v.major())
		}
		d.warn("runtime-txt::deprecated", runtimeDeprecatedText, instructions(origin, v.major()))
	}
	if v.x == 3 && v.y == oldestMinor {
		d.warn("python-version::deprecated", deprecatedMajorText, v.major(), placeToChange(origin))
	}
	newest, ok := d.newest(v)
	if d.plan.Version.Resolved != "" && v.patch >= 0 && ok && v.patch < newest.patch {
		d.warn("python-version::outdated", outdatedText, v, v.major(), newest, placeToChange(origin))
	}
	return nil
}

// placeToChange is where a version is changed that came from origin.
func placeToChange(origin string) string {
	switch origin {
	case "default", "cached":
		return versionFile
	default:
		return origin
	}
}
