package detector

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/buildpacks/lifecycle/buildpack"
	"github.com/buildpacks/pack/builder"
	"github.com/buildpacks/pack/pkg/dist"
)

// openTOML reads a builder.toml, as `pack builder create` does, but for its
// images: scripts run with this machine's programs.
func (o *opener) openTOML(ctx context.Context, file string) error {
	if info, err := os.Stat(file); err != nil || info.Size() > maxDescriptor {
		return fmt.Errorf("read %s: it is longer than %d bytes, or cannot be read", file, maxDescriptor)
	}
	config, _, err := builder.ReadConfig(file)
	if err != nil {
		return fmt.Errorf("read %s: %w", file, withoutPath(err))
	}
	base := filepath.Dir(file)
	for _, modules := range []builder.ModuleCollection{config.Buildpacks, config.Extensions} {
		for _, m := range modules {
			if err := o.addConfigured(ctx, base, m); err != nil {
				return fmt.Errorf("read %s: %w", file, err)
			}
		}
	}
	o.b.groups, o.b.exts = fromDist(config.Order), fromDist(config.OrderExtensions)
	if image := config.Build.Image; image != "" {
		o.b.notes = append(o.b.notes, fmt.Sprintf("the build image %s: scripts ran with this machine's programs", image))
	}
	return nil
}

// addConfigured adds a [[buildpacks]] of a builder.toml. One that cannot be read
// is a module that says why; the rest of the builder can still be used.
func (o *opener) addConfigured(ctx context.Context, base string, c builder.ModuleConfig) error {
	name, err := configuredName(base, c)
	if err != nil {
		return err
	}
	mods, err := o.openBuildpack(ctx, name)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil && mods.main.problem != nil && mods.main.dir == "" {
		err = errors.New(mods.main.problem.text)
	}
	if err != nil {
		if c.ID == "" {
			return fmt.Errorf("open buildpack %q: %w", name, err)
		}
		text := fmt.Sprintf("open buildpack %q: %v", name, err)
		o.b.store.add(broken(buildpack.KindBuildpack, c.ID, c.Version, &problem{text: text, top: codeFailed, nested: codeDetectError}))
		return nil
	}
	info := mods.main.info()
	if c.ID != "" && c.ID != info.ID || c.Version != "" && c.Version != info.Version {
		return errors.New(at(c.ID, c.Version) + " is called " + at(info.ID, info.Version) + " in its own buildpack.toml: make them the same")
	}
	for _, m := range mods.all {
		o.b.store.add(m)
	}
	return nil
}

// configuredName is what a [[buildpacks]] of a builder.toml names, as it would be
// named here.
func configuredName(base string, c builder.ModuleConfig) (string, error) {
	uri := c.URI
	if uri == "" {
		uri = c.ImageName
	}
	if image, ok := strings.CutPrefix(uri, "docker://"); ok || c.URI == "" {
		if image == "" {
			return "", fmt.Errorf("the buildpack %q has neither a uri nor an image", c.ID)
		}
		return image, nil
	}
	file := strings.TrimPrefix(uri, "file://")
	switch {
	case strings.Contains(file, "://") || strings.HasPrefix(file, "urn:"):
		return "", fmt.Errorf("the buildpack at %q cannot be fetched: only directories, archives and images can; download it, and name the file", uri)
	case filepath.IsAbs(file):
		return file, nil
	}
	if file = filepath.Join(base, file); !filepath.IsAbs(file) {
		file = "." + string(filepath.Separator) + file // else it is an image where it is missing
	}
	return file, nil
}

// fromDist is an order as the lifecycle has it.
func fromDist(order dist.Order) buildpack.Order {
	var out buildpack.Order
	for _, entry := range order {
		var group buildpack.Group
		for _, ref := range entry.Group {
			group.Group = append(group.Group, buildpack.GroupElement{ID: ref.ID, Version: ref.Version, Optional: ref.Optional})
		}
		out = append(out, group)
	}
	return out
}
