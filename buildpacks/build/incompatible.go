package build

import (
	"regexp"
	"strings"
)

// A verdict is what a buildpack that does not detect the app has said.
type verdict struct {
	id   string
	said []string
}

var (
	outputOf = regexp.MustCompile(`^======== (?:Output|Error): (\S+) ========$`)
	failsFor = regexp.MustCompile(`^(?:fail|err): +(\S+@\S+)(?: \(-?\d+\))?$`)
	unmet    = regexp.MustCompile(`^fail: (\S+@\S+) (requires|provides unused) (\S+)$`)
)

// incompatible reads what the lifecycle's detector says when no group passes:
// the output of each buildpack behind a mark, then a mark "Results", and a line
// for each buildpack.
func incompatible(lines []string) []verdict {
	said := make(map[string][]string)
	var all []verdict
	at, results := "", false
	for _, line := range lines {
		if m := outputOf.FindStringSubmatch(line); m != nil && !results {
			at = m[1]
			continue
		}
		if line == "======== Results ========" {
			results = true
			continue
		}
		if !results {
			if at != "" {
				said[at] = append(said[at], line)
			}
			continue
		}
		if m := failsFor.FindStringSubmatch(line); m != nil {
			all = append(all, verdict{id: m[1], said: said[m[1]]})
		}
		if m := unmet.FindStringSubmatch(line); m != nil && len(all) == 0 {
			why := "It " + m[2] + " " + m[3] + ", which no buildpack before it provides."
			if m[2] != "requires" {
				why = "It provides " + m[3] + ", which no buildpack requires."
			}
			all = append(all, verdict{id: m[1], said: []string{why}})
		}
	}
	return all
}

// block is a verdict as Heroku shows it.
func (v verdict) block() []string {
	lines := []string{"-----> App not compatible with buildpack: " + v.id}
	if len(v.said) > 0 {
		lines = append(lines, "")
	}
	for _, line := range v.said {
		lines = append(lines, strings.TrimRight(detail+line, " "))
	}
	return lines
}
