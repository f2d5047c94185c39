package detector

import (
	"cmp"
	"slices"

	"github.com/buildpacks/lifecycle/buildpack"
	"github.com/buildpacks/lifecycle/platform/files"
)

func planOf(sections buildpack.PlanSections) Plan {
	var p Plan
	for _, provide := range sections.Provides {
		p.Provides = append(p.Provides, provide.Name)
	}
	for _, require := range sections.Requires {
		p.Requires = append(p.Requires, Require{Name: require.Name, Metadata: require.Metadata})
	}
	return p
}

func planEntry(entry files.BuildPlanEntry) PlanEntry {
	var e PlanEntry
	for _, el := range entry.Providers {
		e.Providers = append(e.Providers, at(el.ID, el.Version))
	}
	for _, require := range entry.Requires {
		e.Requires = append(e.Requires, Require{Name: require.Name, Metadata: require.Metadata})
	}
	return e
}

// sortPlan orders entries by name, which the lifecycle leaves to chance.
func sortPlan(plan []PlanEntry) {
	name := func(e PlanEntry) string {
		if len(e.Requires) == 0 {
			return ""
		}
		return e.Requires[0].Name
	}
	slices.SortStableFunc(plan, func(a, b PlanEntry) int { return cmp.Compare(name(a), name(b)) })
}
