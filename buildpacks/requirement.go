package buildpacks

import (
	"regexp"
	"strconv"
	"strings"
)

// maxRequirements is how many a version requirement may have, as in Rust's
// semver, which is what Heroku reads them with.
const maxRequirements = 32

var requirementPart = regexp.MustCompile(`^(=|>=?|<=?|~|\^)? *` +
	`(0|[1-9]\d*)(?:\.(0|[1-9]\d*|[xX*]))?(?:\.(0|[1-9]\d*|[xX*]))?` +
	`(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$`)

// requirement writes a version requirement in one way: "go1.25" and "=1.25"
// are "=1.25", "1.25" is "^1.25", "=1.x" is "=1".
func requirement(s string) (string, bool) {
	if v, ok := strings.CutPrefix(s, "go"); ok {
		s = "=" + v
	}
	s = strings.Trim(s, " ")
	if s == "*" || s == "x" || s == "X" {
		return "*", true
	}
	parts := strings.Split(s, ",")
	if len(parts) > maxRequirements {
		return "", false
	}
	for i, part := range parts {
		m := requirementPart.FindStringSubmatch(strings.Trim(part, " "))
		if m == nil {
			return "", false
		}
		text, ok := onePart(m[1], m[2:5], m[5], m[6])
		if !ok {
			return "", false
		}
		parts[i] = text
	}
	return strings.Join(parts, ", "), true
}

// onePart writes one requirement. After a wildcard comes nothing but
// wildcards, and a prerelease or a build only after three numbers.
func onePart(op string, numbers []string, prerelease, build string) (string, bool) {
	var plain []string
	wild := false
	for _, n := range numbers {
		switch {
		case n == "":
		case strings.Contains("xX*", n):
			wild = true
		case wild:
			return "", false
		default:
			if _, err := strconv.ParseUint(n, 10, 64); err != nil {
				return "", false
			}
			plain = append(plain, n)
		}
	}
	version := strings.Join(plain, ".")
	if prerelease+build != "" && len(plain) < 3 || !isPrerelease(prerelease) {
		return "", false
	}
	if prerelease != "" {
		version += "-" + prerelease
	}
	switch {
	case op == "" && wild:
		return version + ".*", true
	case op == "":
		op = "^"
	}
	return op + version, true
}

// isPrerelease refuses numbers with leading zeros.
func isPrerelease(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		if len(part) > 1 && part[0] == '0' && strings.Trim(part, "0123456789") == "" {
			return false
		}
	}
	return true
}
