package nodejs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
)

// defaultNode is the major version for apps that ask for none: an LTS release.
const defaultNode = "24.x"

// endOfLife is the last day of each major version of Node.js. Those before the
// first are long past it, those after the last are not there yet.
var endOfLife = map[uint64]string{
	16: "2023-09-11", 17: "2022-06-01", 18: "2025-04-30", 19: "2023-06-01", 20: "2026-04-30", 21: "2024-06-01",
	22: "2027-04-30", 23: "2025-06-01", 24: "2028-04-30", 25: "2026-06-01", 26: "2029-04-30",
}

const oldestWithDate = 16

// isEndOfLife tells whether nobody mends a major version any more.
func isEndOfLife(major uint64, now time.Time) bool {
	if major < oldestWithDate {
		return true
	}
	day, ok := endOfLife[major]
	return ok && now.Format(time.DateOnly) > day
}

// bundledNPM is the major version of npm that a major version of Node.js comes
// with. Newer ones than the last have the newest npm that admits them.
func bundledNPM(major uint64) string {
	switch {
	case major < 15:
		return "6.x"
	case major == 15:
		return "7.x"
	case major < 18:
		return "8.x"
	case major == 19:
		return "9.x"
	case major < 24:
		return "10.x"
	case major < 27:
		return "11.x"
	default:
		return "*"
	}
}

// A versionRange is a range of versions as npm reads it.
type versionRange struct{ any []*semver.Constraints }

const partial = `[vV]?(?:\d+|[xX*])(?:\.(?:\d+|[xX*])(?:\.(?:\d+|[xX*])(?:-?[0-9A-Za-z][0-9A-Za-z.-]*)?(?:\+[0-9A-Za-z.-]+)?)?)?`

var (
	hyphenRange = regexp.MustCompile(`^(` + partial + `)[ \t]+-[ \t]+(` + partial + `)$`)
	comparator  = regexp.MustCompile(`(?:^|[ \t,])(~>|[~^]|[<>]?=|[<>])?[ \t]*(` + partial + `)(?:$|[ \t,])`)
	noDash      = regexp.MustCompile(`^(\d+\.\d+\.\d+)([A-Za-z].*)$`)
)

// parseRange reads "22.x", "^20.1 || >=22 <25", "18 - 20" or "latest". As Heroku
// does, it passes over words that are no comparators if there are others.
func parseRange(text string) (versionRange, error) {
	var r versionRange
	if rest, ok := strings.CutPrefix(strings.TrimSpace(text), "~="); ok {
		text = "~" + rest
	}
	for part := range strings.SplitSeq(text, "||") {
		part, ok := comparators(strings.TrimSpace(part))
		if !ok {
			continue
		}
		c, err := semver.NewConstraint(part)
		if err != nil {
			continue // a number too large, say
		}
		r.any = append(r.any, c)
	}
	if len(r.any) == 0 {
		return versionRange{}, fmt.Errorf("read version range %q: there is no version in it", text)
	}
	return r, nil
}

func isRange(text string) bool {
	_, err := parseRange(text)
	return text != "" && err == nil
}

// comparators writes the comparators that must all hold with commas between them.
func comparators(part string) (string, bool) {
	if part == "" || part == "latest" {
		return "*", true
	}
	if m := hyphenRange.FindStringSubmatch(part); m != nil {
		return compare(">=", m[1]) + ", " + compare("<=", m[2]), true
	}
	var all []string
	for rest := part; ; {
		m := comparator.FindStringSubmatchIndex(rest)
		if m == nil {
			return strings.Join(all, ", "), len(all) > 0
		}
		op := ""
		if m[2] >= 0 {
			op = strings.Replace(rest[m[2]:m[3]], "~>", "~", 1)
		}
		all = append(all, compare(op, rest[m[4]:m[5]]))
		rest = rest[m[5]:]
	}
}

// compare is a comparator without a "v", with the dash that the version may lack,
// and without what follows an "x".
func compare(op, version string) string {
	version = noDash.ReplaceAllString(strings.TrimLeft(version, "vV"), "$1-$2")
	if i := strings.IndexAny(version, "xX*"); i >= 0 && !strings.ContainsAny(version[:i], "-+") {
		version = strings.TrimSuffix(version[:i], ".")
	}
	switch {
	case version != "":
		return op + version
	case op == "<" || op == ">":
		return "<0.0.0" // nothing is beyond anything
	default:
		return "*"
	}
}

func (r versionRange) admits(v *semver.Version) bool {
	return slices.ContainsFunc(r.any, func(c *semver.Constraints) bool { return c.Check(v) })
}

// newest is the newest release of the list in the range that also suits; suits
// may be nil. Versions with a suffix are taken only if named exactly.
func (l list) newest(text string, suits func(release) bool) (release, bool) {
	for _, r := range l.Releases {
		if r.Version == strings.TrimLeft(strings.TrimSpace(text), "=v") {
			return r, true
		}
	}
	in, err := parseRange(text)
	if err != nil {
		return release{}, false
	}
	var best release
	var top *semver.Version
	for _, r := range l.Releases {
		v, err := semver.StrictNewVersion(r.Version)
		if err != nil || v.Prerelease() != "" || !in.admits(v) || suits != nil && !suits(r) {
			continue
		}
		if top == nil || v.GreaterThan(top) {
			best, top = r, v
		}
	}
	return best, top != nil
}

// majors is the newest version of each major version, the newest first.
func (l list) majors() []string {
	newest := map[uint64]*semver.Version{}
	for _, r := range l.Releases {
		v, err := semver.StrictNewVersion(r.Version)
		if err != nil || v.Prerelease() != "" {
			continue
		}
		if was := newest[v.Major()]; was == nil || v.GreaterThan(was) {
			newest[v.Major()] = v
		}
	}
	var all []*semver.Version
	for _, v := range newest {
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b *semver.Version) int { return b.Compare(a) })
	var out []string
	for _, v := range all {
		out = append(out, v.String())
	}
	return out
}

func major(version string) uint64 {
	v, err := semver.NewVersion(version)
	if err != nil {
		return 0
	}
	return v.Major()
}
