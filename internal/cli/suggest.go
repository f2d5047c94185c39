package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// maxSuggested is how many verbs are suggested for a mistyped one.
const maxSuggested = 3

// unknownVerb is the error of a verb that there is none of.
func unknownVerb(root *cobra.Command, args []string) error {
	const see = "see slipway help"
	if len(args) > 1 && verbNamed(root, args[0]+":"+args[1]) != nil {
		return usageError{fmt.Errorf("there is no command %q. Did you mean slipway %s:%s? %s", args[0], args[0], args[1], see)}
	}
	near := nearVerbs(root, args[0])
	if len(near) == 0 {
		return usageError{fmt.Errorf("there is no command %q: %s", args[0], see)}
	}
	return usageError{fmt.Errorf("there is no command %q. Did you mean %s? %s", args[0], strings.Join(near, " or "), see)}
}

// verbNamed finds a verb by its name or another name that it has.
func verbNamed(root *cobra.Command, name string) *cobra.Command {
	for _, verb := range root.Commands() {
		if verb.Name() == name || verb.HasAlias(name) {
			return verb
		}
	}
	return nil
}

// nearVerbs are the names that are most like a mistyped one.
func nearVerbs(root *cobra.Command, typed string) []string {
	typed = strings.ToLower(clip(typed))
	var names []string
	nearest := len(typed)
	for _, verb := range root.Commands() {
		if verb.Hidden {
			continue
		}
		for _, name := range append([]string{verb.Name()}, verb.Aliases...) {
			d := distance(typed, name)
			if d > nearest || d > max(1, len(name)/4) {
				continue
			}
			if d < nearest {
				names, nearest = nil, d
			}
			names = append(names, name)
		}
	}
	return names[:min(len(names), maxSuggested)]
}

// clip bounds what is compared: no verb is longer.
func clip(text string) string { return text[:min(len(text), 40)] }

// distance is the number of letters to add, remove, change or swap with their
// neighbour to make b of a.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
