package detector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/buildpacks/lifecycle/buildpack"
	"github.com/buildpacks/lifecycle/phase"
	"github.com/buildpacks/lifecycle/platform/files"
)

// fromBuilder stands for the builder's order among buildpacks, as in pack.
const fromBuilder = "from=builder"

// Open reads a source. The caller closes what it returns.
func Open(ctx context.Context, s Source) (*Builder, error) {
	b := &Builder{name: s.Builder, store: newStore()}
	if s.Builder == "" && len(s.Buildpacks) == 0 {
		b.name = Bundled
	}
	target, err := parseTarget(s.Target)
	if err != nil {
		return nil, err
	}
	b.target = target
	if s.Progress == nil {
		s.Progress = io.Discard
	}
	o := &opener{Source: s, b: b}
	if err := o.open(ctx); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// parseTarget reads "os/arch" or "os/arch/variant".
func parseTarget(text string) (files.TargetMetadata, error) {
	t := files.TargetMetadata{OS: "linux", Arch: runtime.GOARCH}
	if text == "" {
		return t, nil
	}
	parts := strings.Split(text, "/")
	if len(parts) > 3 || slices.Contains(parts, "") || len(parts) < 2 {
		return t, fmt.Errorf("read target %q: write it as linux/amd64, or linux/arm/v7", text)
	}
	t.OS, t.Arch = parts[0], parts[1]
	if len(parts) == 3 {
		t.ArchVariant = parts[2]
	}
	return t, nil
}

// An opener fills a builder from a source.
type opener struct {
	Source
	b *Builder
}

func (o *opener) open(ctx context.Context) error {
	if err := o.openBuilder(ctx); err != nil {
		return err
	}
	if len(o.Buildpacks) > 0 {
		if err := o.openBuildpacks(ctx); err != nil {
			return err
		}
	}
	b := o.b
	if len(b.groups) == 0 {
		return errors.New("there is no order of buildpacks: give an [[order]] to the builder, or name buildpacks")
	}
	b.store.settle(b.groups, buildpack.KindBuildpack)
	b.store.settle(b.exts, buildpack.KindExtension)
	b.order = phase.PrependExtensions(slices.Clone(b.groups), slices.Clone(b.exts))
	clip(b.order)
	if b.target.Distro == nil {
		// Else the lifecycle's code would look at this machine's.
		b.target.Distro = distroOf(b.root)
	}
	return nil
}

func (o *opener) openBuilder(ctx context.Context) error {
	ref := o.b.name
	if ref == "" {
		return nil
	}
	if ref == Bundled {
		return o.openBundled()
	}
	switch kindOf(ref) {
	case tomlFile:
		return o.openTOML(ctx, ref)
	case layoutDir, archiveFile, remoteImage:
		return o.openBuilderImage(ctx, ref)
	case directory:
		if file := filepath.Join(ref, "builder.toml"); isFile(file) {
			return o.openTOML(ctx, file)
		}
		return fmt.Errorf("open builder %q: it is neither the directory of an OCI layout, nor has it a builder.toml; a buildpack is given with --buildpack", ref)
	case missing:
		return fmt.Errorf("open builder %q: there is no such file", ref)
	case strange:
	}
	return fmt.Errorf("open builder %q: name %q, an image, its archive, or a builder.toml", ref, Bundled)
}

// openBuildpacks makes one group of the buildpacks that were given.
func (o *opener) openBuildpacks(ctx context.Context) error {
	order := buildpack.Order{{}}
	add := func(els ...buildpack.GroupElement) {
		for i := range order {
			order[i].Group = append(slices.Clone(order[i].Group), els...)
		}
	}
	for _, name := range o.Buildpacks {
		if name == fromBuilder {
			order = product(order, o.b.groups)
			continue
		}
		if el, ok := o.b.store.byID(name); ok {
			add(el)
			continue
		}
		mods, err := o.openBuildpack(ctx, name)
		if err != nil {
			return fmt.Errorf("open buildpack %q: %w", name, err)
		}
		for _, m := range mods.all {
			o.b.store.add(m)
		}
		info := mods.main.info()
		if mods.main.kind == buildpack.KindExtension {
			o.b.exts = append(o.b.exts, buildpack.Group{Group: []buildpack.GroupElement{
				{ID: info.ID, Version: info.Version, Extension: true, Optional: true},
			}})
			continue
		}
		add(buildpack.GroupElement{ID: info.ID, Version: info.Version})
	}
	if len(order) == 1 && len(order[0].Group) == 0 {
		order = slices.Clone(o.b.groups) // extensions alone
	}
	o.b.groups = order
	return nil
}

// product puts each group of second behind each of first.
func product(first, second buildpack.Order) buildpack.Order {
	var out buildpack.Order
	for _, a := range first {
		for _, b := range second {
			out = append(out, buildpack.Group{Group: slices.Concat(a.Group, b.Group)})
		}
	}
	return out
}

// byID finds a buildpack of the builder that is meant by name: "ID", "ID@VERSION",
// or pack's "urn:cnb:builder:ID@VERSION".
func (s *store) byID(name string) (buildpack.GroupElement, bool) {
	if exists(name) {
		return buildpack.GroupElement{}, false
	}
	id, version, _ := strings.Cut(strings.TrimPrefix(name, "urn:cnb:builder:"), "@")
	versions := s.versions(buildpack.KindBuildpack, id)
	if len(versions) == 0 || version != "" && !slices.Contains(versions, version) {
		return buildpack.GroupElement{}, false
	}
	return buildpack.GroupElement{ID: id, Version: version}, true
}

// Kinds of what a name may mean.
type kind int

const (
	missing kind = iota
	tomlFile
	archiveFile
	layoutDir
	directory
	remoteImage
	strange
)

// kindOf tells what name is: what is on disk comes first; a name that looks like
// a path does not become an image.
func kindOf(name string) kind {
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir() && isFile(filepath.Join(name, "oci-layout")):
		return layoutDir
	case err == nil && info.IsDir():
		return directory
	case err == nil && !info.Mode().IsRegular():
		return strange
	case err == nil && filepath.Ext(name) == ".toml":
		return tomlFile
	case err == nil:
		return archiveFile
	case strings.HasPrefix(name, ".") || strings.HasPrefix(name, "/") || strings.HasPrefix(name, "~"),
		slices.Contains([]string{".toml", ".tgz", ".tar", ".cnb", ".gz"}, filepath.Ext(name)):
		return missing
	}
	return remoteImage
}

// modules are what a buildpack package holds.
type modules struct {
	main *module
	all  []*module
}

// openBuildpack reads a buildpack that was given.
func (o *opener) openBuildpack(ctx context.Context, name string) (modules, error) {
	switch kindOf(name) {
	case directory:
		return openDir(name)
	case layoutDir, remoteImage:
		return o.openPackage(ctx, name)
	case archiveFile:
		return o.openArchive(ctx, name)
	case tomlFile:
		return modules{}, errors.New("it is a file: name the directory that it is in")
	case missing:
		return modules{}, errors.New("there is no such file")
	case strange:
	}
	return modules{}, errors.New("it is neither a directory, nor an archive, nor an image")
}

// openDir reads a buildpack in a directory. One that is broken is a module that
// says why.
func openDir(dir string) (modules, error) {
	if isClassic(dir) {
		m, err := readClassic(dir)
		return modules{m, []*module{m}}, err
	}
	m, err := readModule(dir)
	if err == nil {
		return modules{m, []*module{m}}, nil
	}
	if !exists(filepath.Join(dir, buildpackFile)) {
		err = errors.New("it has no buildpack.toml: write one, or bin/detect and bin/compile for a classic buildpack")
	}
	abs, absErr := filepath.Abs(dir)
	m = broken(buildpack.KindBuildpack, filepath.Base(abs), "", &problem{text: err.Error(), top: codeFailed, nested: codeDetectError})
	return modules{m, []*module{m}}, absErr
}
