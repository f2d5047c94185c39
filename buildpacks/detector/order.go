package detector

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildpacks/lifecycle/buildpack"
)

// Exit codes of the lifecycle's detector, and of a Go program that crashes.
const (
	codePassed       = 0
	codeFailed       = 1
	codeCrash        = 2
	codeBuildpackAPI = 12
	codeNotDetected  = 20
	codeErred        = 21
	codeDetectError  = 22
)

// maxDepth is how deep meta-buildpacks may lie in each other.
const maxDepth = 64

// settle makes an order ready for the lifecycle's detector: each element has a
// version and a module, if only one that says what is wrong with it.
func (s *store) settle(order buildpack.Order, kind string) {
	seen := map[*module]bool{}
	s.settleOrder(order, kind, seen)
	for m := range seen {
		if m.problem != nil || len(m.metaOrder()) == 0 {
			continue
		}
		if path := s.cycle(m, nil); path != nil {
			// The lifecycle never ends, and crashes when its stack is full.
			m.problem = &problem{
				text:   "its order leads back to itself: " + strings.Join(path, " → "),
				nested: codeCrash,
			}
		}
	}
	for m := range seen {
		if m.problem != nil && m.bp != nil {
			m.bp.Order = nil // it is not to be entered
		}
	}
	clip(order)
}

func (s *store) settleOrder(order buildpack.Order, kind string, seen map[*module]bool) {
	for _, group := range order {
		for i := range group.Group {
			el := &group.Group[i]
			m := s.settleElement(el, kind)
			if !seen[m] {
				seen[m] = true
				s.settleOrder(m.metaOrder(), buildpack.KindBuildpack, seen)
			}
		}
	}
}

// settleElement gives el its version, if only one can be meant, and finds its
// module.
func (s *store) settleElement(el *buildpack.GroupElement, kind string) *module {
	versions := s.versions(kind, el.ID)
	if el.Version == "" && len(versions) == 1 {
		el.Version = versions[0]
	}
	r := ref{kind, el.ID, el.Version}
	if m, ok := s.modules[r]; ok {
		return m
	}
	text := "it is not to be had: add it to the builder, or correct the id in the order"
	switch {
	case el.ID == "":
		text = "an element of the order has no id"
	case len(versions) > 1 && el.Version == "":
		text = "the order has to say which version: there are " + strings.Join(versions, ", ")
	case len(versions) > 0:
		text = fmt.Sprintf("version %q is not to be had: there is %s", el.Version, strings.Join(versions, ", "))
	}
	m := broken(kind, el.ID, el.Version, &problem{text: text, top: codeFailed, nested: codeDetectError})
	s.put(r, m)
	return m
}

// cycle is the way from m back to itself, nil if there is none. A way that does
// not end but does not lead back to m is found from where it leads back to.
func (s *store) cycle(m *module, path []string) []string {
	visited := map[*module]bool{}
	var walk func(at *module, path []string) []string
	walk = func(at *module, path []string) []string {
		path = append(path, at.info().ID)
		if len(path) > maxDepth {
			return path
		}
		for _, group := range at.metaOrder() {
			for _, el := range group.Group {
				next := s.modules[ref{buildpack.KindBuildpack, el.ID, el.Version}]
				if next == m {
					return append(path, m.info().ID)
				}
				if next == nil || visited[next] {
					continue
				}
				visited[next] = true
				if found := walk(next, slices.Clone(path)); found != nil {
					return found
				}
			}
		}
		return nil
	}
	return walk(m, path)
}

// clip keeps appending to a group from writing into what others read.
func clip(order buildpack.Order) {
	for i := range order {
		order[i].Group = slices.Clip(order[i].Group)
	}
}

// verify is what the lifecycle does before it detects anything: the exit code
// of the first element of the order that cannot be used, and why.
func (s *store) verify(order, extensions buildpack.Order) (int, string) {
	for i, o := range []buildpack.Order{order, extensions} {
		kind := []string{buildpack.KindBuildpack, buildpack.KindExtension}[i]
		for _, group := range o {
			for _, el := range group.Group {
				m := s.modules[ref{kind, el.ID, el.Version}]
				if m != nil && m.problem != nil && m.problem.top != 0 {
					return m.problem.top, fmt.Sprintf("%s cannot be used: %s", at(el.ID, el.Version), m.problem.text)
				}
			}
		}
	}
	return codePassed, ""
}
