package gitserver

import (
	"slices"
	"strings"
)

// hidden reports whether a ref is hidden by rules, of which the last one that
// fits counts, as with git's transfer.hideRefs. There are no namespaces here,
// so that "^" changes nothing.
func hidden(rules []string, name string) bool {
	for _, rule := range slices.Backward(rules) {
		rule, shown := strings.CutPrefix(rule, "!")
		rule = strings.TrimRight(strings.TrimPrefix(rule, "^"), "/")
		rest, ok := strings.CutPrefix(name, rule)
		if ok && (rest == "" || rest[0] == '/') {
			return !shown
		}
	}
	return false
}
