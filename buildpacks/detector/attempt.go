package detector

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildpacks/lifecycle/buildpack"
)

// Faults of an edge.
const (
	Unmet  = "unmet"
	Unused = "unused"
)

// An option is a member of a trial with one of the plans that it wrote.
type option struct {
	index    int // among the members
	name     string
	optional bool // the group can go on without it, with this plan
	sections buildpack.PlanSections
}

// A fault is an edge that does not hold.
type fault struct {
	index    int
	who      string
	edge     string
	kind     string
	later    []string // who provides it, but after
	required bool     // the group cannot go on without who
}

func (f fault) text() string {
	switch {
	case f.kind == Unused:
		return fmt.Sprintf("provides %q, which neither it nor anything after it requires", f.edge)
	case len(f.later) > 0:
		return fmt.Sprintf("requires %q, which %s provides, but after it", f.edge, join(f.later))
	}
	return fmt.Sprintf("requires %q, which nothing before or in its group provides", f.edge)
}

// An attempt is one way to put the plans of a group together.
type attempt struct {
	options []option
	faults  []fault
	ok      bool
}

// options are the members that passed, each with the plan that pick says.
func (t *trial) options(pick func(member) int) []option {
	var all []option
	for i, m := range t.members {
		if !m.passed() {
			continue
		}
		n := pick(m)
		sections := m.out.PlanSections
		if n > 0 {
			sections = m.out.Or[n-1]
		}
		// As the lifecycle has it: it is given up only with its last plan.
		all = append(all, option{i, m.name(), m.el.Optional && n == len(m.out.Or), sections})
	}
	return all
}

// best is the way that resolves, or else the first of those that come nearest.
// It goes through them in the lifecycle's order.
func (t *trial) best() attempt {
	var passing []int
	for i, m := range t.members {
		if m.passed() {
			passing = append(passing, i)
		}
	}
	picked := make([]int, len(t.members))
	var best attempt
	for n := 0; ; n++ {
		byIndex := 0
		a := try(t.options(func(member) int { i := passing[byIndex]; byIndex++; return picked[i] }))
		if n == 0 || a.ok || a.required() < best.required() {
			best = a
		}
		if a.ok || !next(picked, passing, t.members) {
			return best
		}
	}
}

// next picks the next way, the last member's plans first, until all were had.
func next(picked, passing []int, members []member) bool {
	for _, i := range slices.Backward(passing) {
		if picked[i] < len(members[i].out.Or) {
			picked[i]++
			return true
		}
		picked[i] = 0
	}
	return false
}

func (a attempt) required() int {
	n := 0
	for _, f := range a.faults {
		if f.required {
			n++
		}
	}
	return n
}

// try resolves one way, as the lifecycle does: optional members whose edges do
// not hold are dropped, until all hold or a required one's does not.
func try(options []option) attempt {
	a := attempt{options: options}
	for rest := options; ; {
		faults := faultsOf(rest)
		a.faults = append(a.faults, faults...)
		switch {
		case len(faults) == 0:
			a.ok = len(rest) > 0
			return a
		case a.required() > 0:
			return a
		}
		rest = slices.DeleteFunc(slices.Clone(rest), func(o option) bool {
			return slices.ContainsFunc(faults, func(f fault) bool { return f.index == o.index })
		})
	}
}

// faultsOf finds the edges that do not hold, in group order.
func faultsOf(options []option) []fault {
	var faults []fault
	provided, required := positions(options)
	for n, o := range options {
		for _, name := range names(o.sections.Requires) {
			if first, ok := provided[name]; ok && first[0] <= n {
				continue
			}
			f := fault{o.index, o.name, name, Unmet, nil, !o.optional}
			for _, p := range provided[name] {
				f.later = append(f.later, options[p].name)
			}
			faults = append(faults, f)
		}
		for _, p := range o.sections.Provides {
			if last := required[p.Name]; len(last) == 0 || last[len(last)-1] < n {
				faults = append(faults, fault{o.index, o.name, p.Name, Unused, nil, !o.optional})
			}
		}
	}
	return faults
}

// positions tells which options provide and require each name.
func positions(options []option) (provided, required map[string][]int) {
	provided, required = map[string][]int{}, map[string][]int{}
	for n, o := range options {
		for _, p := range o.sections.Provides {
			provided[p.Name] = append(provided[p.Name], n)
		}
		for _, r := range o.sections.Requires {
			required[r.Name] = append(required[r.Name], n)
		}
	}
	return provided, required
}

func names(requires []buildpack.Require) []string {
	var all []string
	seen := map[string]bool{}
	for _, r := range requires {
		if !seen[r.Name] {
			seen[r.Name] = true
			all = append(all, r.Name)
		}
	}
	return all
}

// why says which edges of required members did not hold, at most three.
func (a attempt) why() string {
	const most = 3
	early := a.tooEarly()
	var parts []string
	left := 0
	for _, f := range a.faults {
		switch {
		case !f.required || f.kind == Unused && early[f.edge]:
		case len(parts) == most:
			left++
		default:
			parts = append(parts, f.who+" "+f.text())
		}
	}
	if len(parts) == 0 {
		return "its plan leaves no buildpack in it"
	}
	if left > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", left))
	}
	return strings.Join(parts, "; ")
}

// tooEarly are the names that are required before they are provided, which says
// all about their provision too.
func (a attempt) tooEarly() map[string]bool {
	early := map[string]bool{}
	for _, f := range a.faults {
		if f.kind == Unmet && f.required && len(f.later) > 0 {
			early[f.edge] = true
		}
	}
	return early
}

// hints say what would mend the plan: the first few.
func (t *trial) hints(a attempt) []string {
	const most, looked = 5, 50
	early := a.tooEarly()
	var hints []string
	for _, f := range a.faults[:min(len(a.faults), looked)] {
		if !f.required || len(hints) == most {
			continue
		}
		hint := ""
		switch {
		case f.kind == Unmet && len(f.later) > 0:
			hint = fmt.Sprintf("put %s before %s in the order", f.later[0], f.who)
		case f.kind == Unmet:
			hint = t.elsewhere(f)
		case !early[f.edge] && !t.requiredEarlier(f):
			hint = fmt.Sprintf("if %s is of use by itself, let its plan require %q too", f.who, f.edge)
		}
		if hint != "" && !slices.Contains(hints, hint) {
			hints = append(hints, hint)
		}
	}
	return hints
}

// requiredEarlier tells whether an unused provision comes too late for someone:
// the hint about that one is enough.
func (t *trial) requiredEarlier(f fault) bool {
	for _, m := range t.members[:f.index] {
		if m.passed() && slices.Contains(names(m.out.Requires), f.edge) {
			return true
		}
	}
	return false
}

// elsewhere names a buildpack outside the group that provided what is unmet.
func (t *trial) elsewhere(f fault) string {
	for _, g := range t.rec.groups {
		for _, res := range g.Results {
			for _, p := range res.Plans {
				if res.Outcome != Fail && slices.Contains(p.Provides, f.edge) {
					return fmt.Sprintf("%s provides %q: add it to the group, before %s", at(res.ID, res.Version), f.edge, f.who)
				}
			}
		}
	}
	return ""
}

// edgesOf lists the names of plans, sorted, with the faults that were found.
func edgesOf(options []option, faults []fault) []Edge {
	byName := map[string]*Edge{}
	edge := func(name string) *Edge {
		if byName[name] == nil {
			byName[name] = &Edge{Name: name}
		}
		return byName[name]
	}
	for _, o := range options {
		for _, p := range o.sections.Provides {
			e := edge(p.Name)
			e.ProvidedBy = append(e.ProvidedBy, o.name)
		}
		for _, name := range names(o.sections.Requires) {
			e := edge(name)
			e.RequiredBy = append(e.RequiredBy, o.name)
		}
	}
	for _, f := range faults {
		if e := edge(f.edge); e.Fault != Unmet {
			e.Fault = f.kind
		}
	}
	var all []Edge
	for _, e := range byName {
		all = append(all, *e)
	}
	slices.SortFunc(all, func(a, b Edge) int { return strings.Compare(a.Name, b.Name) })
	return all
}
