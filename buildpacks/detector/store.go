package detector

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildpacks/lifecycle/buildpack"
	"github.com/buildpacks/lifecycle/phase"
)

// A ref names a module in a store.
type ref struct{ kind, id, version string }

// A store holds the modules of a builder.
type store struct {
	modules map[ref]*module
	of      map[buildpack.Descriptor]*module
}

var _ phase.DirStore = (*store)(nil)

func newStore() *store {
	return &store{modules: map[ref]*module{}, of: map[buildpack.Descriptor]*module{}}
}

// add puts a module where its descriptor says. A later one takes the place of
// an earlier.
func (s *store) add(m *module) {
	info := m.info()
	s.put(ref{m.kind, info.ID, info.Version}, m)
}

func (s *store) put(r ref, m *module) {
	s.modules[r] = m
	s.of[m.descriptor()] = m
}

// versions are those that a module is to be had in, sorted.
func (s *store) versions(kind, id string) []string {
	var found []string
	for r := range s.modules {
		if r.kind == kind && r.id == id {
			found = append(found, r.version)
		}
	}
	slices.Sort(found)
	return found
}

// Lookup implements [phase.DirStore].
func (s *store) Lookup(kind, id, version string) (buildpack.Descriptor, error) {
	m, ok := s.modules[ref{kind, id, version}]
	if !ok {
		return nil, fmt.Errorf("find %s %s: there is none", strings.ToLower(kind), at(id, version))
	}
	return m.descriptor(), nil
}

// LookupBp implements [phase.DirStore].
func (s *store) LookupBp(id, version string) (*buildpack.BpDescriptor, error) {
	d, err := s.Lookup(buildpack.KindBuildpack, id, version)
	if err != nil {
		return nil, err
	}
	return s.of[d].bp, nil
}

// LookupExt implements [phase.DirStore].
func (s *store) LookupExt(id, version string) (*buildpack.ExtDescriptor, error) {
	d, err := s.Lookup(buildpack.KindExtension, id, version)
	if err != nil {
		return nil, err
	}
	return s.of[d].ext, nil
}

// at is how a module is written.
func at(id, version string) string {
	if version == "" {
		return id
	}
	return id + "@" + version
}
