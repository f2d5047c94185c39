package build

import (
	"fmt"
	"slices"
	"strings"

	"slipway/buildpacks"
)

// lostProcesses are lines of a warning about what the Procfile declares and the
// image lacks; none if nothing. Builders read Procfiles by rules of their own, of
// names above all, or not at all.
func lostProcesses(plan *buildpacks.Plan, built []Process) []string {
	if plan == nil {
		return nil
	}
	var lost, have []string
	for _, p := range built {
		have = append(have, p.Type)
	}
	for _, p := range plan.Processes {
		if !slices.Contains(have, p.Type) {
			lost = append(lost, p.Type)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	slices.Sort(have)
	has := strings.Join(have, ", ")
	if has == "" {
		has = "none"
	}
	return []string{
		fmt.Sprintf("Warning: The builder made no process of these lines of the Procfile: %s", strings.Join(lost, ", ")),
		fmt.Sprintf("It reads the Procfile by rules of its own. The image has: %s", has),
	}
}
