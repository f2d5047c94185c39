package detector

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/buildpacks/lifecycle/buildpack"
	"github.com/buildpacks/lifecycle/phase"
)

// A trial is a group whose members have all answered.
type trial struct {
	rec     *recorder
	members []member
	tooMany bool // ways to put its plans together
}

// A member is a buildpack of a group, and its answer.
type member struct {
	el  buildpack.GroupElement
	mod *module
	out buildpack.DetectOutputs
	res Result
}

func (m member) name() string { return at(m.el.ID, m.el.Version) }

func (m member) passed() bool { return m.out.Code == phase.CodeDetectPass }

// newTrial gathers what done answered.
func (r *recorder) newTrial(done []buildpack.GroupElement, runs *sync.Map) *trial {
	t := &trial{rec: r}
	if r.shown == nil {
		r.shown = map[buildpack.Descriptor]bool{}
	}
	for _, el := range done {
		m := member{el: el, mod: r.run.builder.store.modules[ref{el.Kind(), el.ID, el.Version}]}
		if got, ok := runs.Load(el.Kind() + " " + el.String()); ok {
			m.out, _ = got.(buildpack.DetectOutputs)
		}
		m.res = r.result(m)
		t.members = append(t.members, m)
	}
	return t
}

// result is a member's answer for the report.
func (r *recorder) result(m member) Result {
	var res Result
	d := m.mod.descriptor()
	if got := r.run.exe.record(d); got != nil {
		res = *got
		res.Reused = r.shown[d]
		r.shown[d] = true
	} else { // the lifecycle did not have it run: the target
		res.ExitCode = m.out.Code
		if m.out.Err != nil {
			res.Err = targetText(r.run.builder, m.mod)
		}
	}
	info := m.mod.info()
	res.ID, res.Version, res.Name, res.Homepage = m.el.ID, m.el.Version, info.Name, info.Homepage
	res.API, res.Optional, res.Extension, res.Classic = m.el.API, m.el.Optional, m.el.Extension, m.mod.classic
	switch {
	case m.out.Code == phase.CodeDetectPass:
		res.Outcome = Pass
	case m.out.Code == phase.CodeDetectFail && m.el.Optional:
		res.Outcome = Skip
	case m.out.Code == phase.CodeDetectFail:
		res.Outcome = Fail
	default:
		res.Outcome = Error
	}
	return res
}

// record is what is known of a module that answered, nil if it was not asked.
func (x *executor) record(d buildpack.Descriptor) *Result {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.records[d]
}

func targetText(b *Builder, m *module) string {
	var has []string
	for _, t := range m.descriptor().TargetsList() {
		has = append(has, targetString(t))
	}
	ours := b.target.OS + "/" + b.target.Arch
	if d := b.target.Distro; d != nil && d.Name != "" {
		ours += " " + at(d.Name, d.Version)
	}
	return fmt.Sprintf("it is for %s, and this is %s", strings.Join(has, ", "), ours)
}

func targetString(t buildpack.TargetMetadata) string {
	parts := []string{t.OS}
	if t.Arch != "" {
		parts = append(parts, t.Arch)
	}
	if t.ArchVariant != "" {
		parts = append(parts, t.ArchVariant)
	}
	words := []string{strings.Join(parts, "/")}
	for _, d := range t.Distros {
		words = append(words, at(d.Name, d.Version))
	}
	return strings.Join(words, " ")
}

// fatal is the exit code of the lifecycle's detector when it comes to this
// group, 0 if it goes on.
func (t *trial) fatal() int {
	for _, m := range t.members {
		if p := m.mod.problem; p != nil && p.nested != 0 {
			return p.nested
		}
	}
	return 0
}

func (t *trial) fatalText() string {
	for _, m := range t.members {
		if p := m.mod.problem; p != nil && p.nested != 0 {
			return fmt.Sprintf("%s cannot be used: %s", m.name(), p.text)
		}
	}
	return ""
}

// tooManyWays tells whether its plans can be put together in more ways than can
// be tried.
func (t *trial) tooManyWays() bool {
	ways, entries := 1, 1
	for _, m := range t.members {
		if !m.passed() {
			continue
		}
		entries += len(m.out.Provides) + len(m.out.Requires)
		for _, or := range m.out.Or {
			entries += len(or.Provides) + len(or.Requires)
		}
		if ways *= 1 + len(m.out.Or); ways > maxTrials {
			return true
		}
	}
	return ways*entries > maxWork
}

// explain fills in what became of the group; err is the lifecycle's verdict.
func (t *trial) explain(g *Group, found []buildpack.GroupElement, err error) {
	for _, m := range t.members {
		g.Results = append(g.Results, m.res)
	}
	if err == nil {
		g.Passed = true
		for _, el := range found {
			g.Chosen = append(g.Chosen, at(el.ID, el.Version))
		}
	}
	lost := t.whyMembers()
	if t.tooMany {
		lost = "its plans can be put together in too many ways: fewer alternatives (or) are needed"
	}
	if lost != "" {
		g.Why = lost
		g.Edges = edgesOf(t.options(func(member) int { return 0 }), nil)
		return
	}
	best := t.best()
	g.Edges = edgesOf(best.options, best.faults)
	if err != nil {
		g.Why = best.why()
		g.Hints = t.hints(best)
		return
	}
	t.skip(g, best)
}

// whyMembers says why the group lost before its plan was looked at, "" if it
// did not.
func (t *trial) whyMembers() string {
	var failed, erred []string
	passed := false
	for _, m := range t.members {
		switch m.res.Outcome {
		case Pass:
			passed = passed || !m.el.Extension
		case Fail:
			failed = append(failed, m.name())
		case Error:
			if !m.el.Optional {
				erred = append(erred, m.name()+" "+m.res.erred())
			}
		}
	}
	switch {
	case len(failed)+len(erred) > 0:
		var parts []string
		if len(failed) > 0 {
			parts = append(parts, join(failed)+" did not detect the app")
		}
		return strings.Join(append(parts, erred...), "; ")
	case !passed:
		return "none of its buildpacks detected the app"
	}
	return ""
}

// erred says how a bin/detect erred, after its name.
func (r *Result) erred() string {
	if r.Err == "" {
		return fmt.Sprintf("ended with exit code %d: 0 passes and 100 fails, anything else is an error", r.ExitCode)
	}
	return "ended with an error: " + r.Err
}

func join(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// skip marks the members of a passing group that its plan has no place for.
func (t *trial) skip(g *Group, best attempt) {
	for i, m := range t.members {
		if m.res.Outcome != Pass || slices.Contains(g.Chosen, m.name()) {
			continue
		}
		g.Results[i].Outcome = Skip
		for _, f := range best.faults {
			if f.index == i {
				g.Results[i].Err = f.text()
				break
			}
		}
	}
}
