package buildpacks

import (
	"regexp"
	"strings"
)

// nodeRange finds one comparator of a range of versions. A prerelease comes
// only after three numbers, and may lack its dash.
var nodeRange = regexp.MustCompile(`(?:^|[ \t])(?:~>|[~^]|[<>]?=|[<>])?[ \t]*[vV]?` +
	`(?:` + nodeNumber + `|` + nodeNumber + `\.` + nodeNumber + `|` +
	nodeNumber + `\.` + nodeNumber + `\.` + nodeNumber + `(?:-?[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)(?:[ \t]|$)`)

const nodeNumber = `(?:\d{1,16}|[xX*])`

// isRange tells whether Heroku would take s for a range of versions: npm's
// grammar, in which words that are no comparator are passed over as long as one
// is; "latest", and "~=" for "~".
func isRange(s string) bool {
	const longest = 256 // npm's own limit
	if s == "latest" {
		return true
	}
	s = strings.TrimSpace(s)
	if len(s) > longest {
		return false
	}
	if rest, ok := strings.CutPrefix(s, "~="); ok {
		s = "~" + rest
	}
	for alternative := range strings.SplitSeq(s, "||") {
		if nodeRange.MatchString(alternative) {
			return true
		}
	}
	return false
}
