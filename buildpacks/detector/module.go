package detector

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/buildpacks/lifecycle/api"
	"github.com/buildpacks/lifecycle/buildpack"

	"slipway/buildpacks/bundled/cnb"
)

// maxDescriptor is how long a buildpack.toml, a builder.toml or a build plan may
// be.
const maxDescriptor = 1 << 20

// A module is a buildpack or an extension that groups may name. One that cannot
// be used is a module too, with a problem: what refers to it is shown, and the
// other groups are tried.
type module struct {
	kind string // buildpack.KindBuildpack or KindExtension
	bp   *buildpack.BpDescriptor
	ext  *buildpack.ExtDescriptor

	dir     string // on this machine; "" for ours
	inside  string // where the image has it, "" if it is from elsewhere
	classic bool
	detect  cnb.Detect // one of ours; nil for those with a bin/detect

	problem *problem
}

// A problem is why a module cannot be used, and what the lifecycle's detector
// makes of it.
type problem struct {
	text string
	// top is the exit code where a group of the builder's order names it: the
	// lifecycle looks at those before it detects anything. 0 if it goes on.
	top int
	// nested is the exit code once a group is tried that has it, from a
	// meta-buildpack's order. 0 if it is run like any other.
	nested int
}

func (m *module) descriptor() buildpack.Descriptor {
	if m.kind == buildpack.KindExtension {
		return m.ext
	}
	return m.bp
}

func (m *module) info() buildpack.BaseInfo {
	if m.kind == buildpack.KindExtension {
		return m.ext.Extension.BaseInfo
	}
	return m.bp.Buildpack.BaseInfo
}

func (m *module) clearEnv() bool { return m.info().ClearEnv }

// apiAtLeast is for modules without a problem only.
func (m *module) apiAtLeast(version string) bool {
	v, err := api.NewVersion(m.descriptor().API())
	return err == nil && v.AtLeast(version)
}

// metaOrder is the order of a meta-buildpack, nil for others.
func (m *module) metaOrder() buildpack.Order {
	if m.bp == nil {
		return nil
	}
	return m.bp.Order
}

// broken stands for a module that cannot be read.
func broken(kind, id, version string, p *problem) *module {
	info := buildpack.BaseInfo{ID: id, Version: version}
	m := &module{kind: kind, problem: p}
	if kind == buildpack.KindExtension {
		m.ext = &buildpack.ExtDescriptor{Extension: buildpack.ExtInfo{BaseInfo: info}}
	} else {
		m.bp = &buildpack.BpDescriptor{Buildpack: buildpack.BpInfo{BaseInfo: info}}
	}
	return m
}

const (
	buildpackFile = "buildpack.toml"
	extensionFile = "extension.toml"
)

// readModule reads the buildpack or extension in dir. The error is for a person,
// about its descriptor.
func readModule(dir string) (*module, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	m := &module{kind: buildpack.KindBuildpack, dir: abs}
	file := filepath.Join(abs, buildpackFile)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		if isFile(filepath.Join(abs, extensionFile)) {
			m.kind, file = buildpack.KindExtension, filepath.Join(abs, extensionFile)
		}
	}
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", filepath.Base(file), withoutPath(err))
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("read %s: it is no file", filepath.Base(file))
	case info.Size() > maxDescriptor:
		return nil, fmt.Errorf("read %s: it is longer than %d bytes", filepath.Base(file), maxDescriptor)
	}
	if err := m.read(file); err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Base(file), withoutPath(err))
	}
	clip(m.metaOrder())
	if m.info().ID == "" {
		return nil, fmt.Errorf("read %s: it has no id: write one below [%s]", filepath.Base(file), strings.ToLower(m.kind))
	}
	m.problem = apiProblem(m.descriptor().API())
	return m, nil
}

// read has the lifecycle read the descriptor, so that targets that are not
// written are inferred as it infers them. It panics on a bad API beside the
// stack of bionic.
func (m *module) read(file string) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("its api is no version: write api = \"0.10\"")
		}
	}()
	if m.kind == buildpack.KindExtension {
		m.ext, err = buildpack.ReadExtDescriptor(file)
		return err
	}
	m.bp, err = buildpack.ReadBpDescriptor(file)
	return err
}

// apiProblem says what is wrong with a buildpack API, nil if nothing is.
func apiProblem(version string) *problem {
	v, err := api.NewVersion(version)
	if err != nil {
		// Below a meta-buildpack the lifecycle does not look, and crashes.
		return &problem{
			text: fmt.Sprintf("its api %q is no version: write one of %s", version, api.Buildpack.Supported),
			top:  codeBuildpackAPI, nested: codeCrash,
		}
	}
	if !api.Buildpack.IsSupported(v) {
		return &problem{
			text: fmt.Sprintf("its api %q is not supported: write one of %s", version, api.Buildpack.Supported),
			top:  codeBuildpackAPI,
		}
	}
	return nil
}

// readClassic reads a buildpack of Heroku's older interface.
func readClassic(dir string) (*module, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	m := broken(buildpack.KindBuildpack, "classic/"+filepath.Base(abs), "", nil)
	m.dir, m.classic = abs, true
	m.bp.WithRootDir = abs
	return m, nil
}

// isClassic tells whether dir has what Heroku's older interface asks for, and is
// no Cloud Native Buildpack.
func isClassic(dir string) bool {
	return !isFile(filepath.Join(dir, buildpackFile)) && !isFile(filepath.Join(dir, extensionFile)) &&
		isFile(filepath.Join(dir, "bin", "detect")) && isFile(filepath.Join(dir, "bin", "compile"))
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// withoutPath drops the path of an error whose reader knows it.
func withoutPath(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
