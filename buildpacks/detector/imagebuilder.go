package detector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/buildpacks/lifecycle/buildpack"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Where images have things (Platform Interface Specification, "Build Image").
const (
	buildpacksDir = "cnb/buildpacks"
	extensionsDir = "cnb/extensions"
	orderFile     = "/cnb/order.toml"

	builderLabel = "io.buildpacks.builder.metadata"
	packageLabel = "io.buildpacks.buildpackage.metadata"
)

// openBuilderImage reads a builder out of an image, which its scripts will run
// in.
func (o *opener) openBuilderImage(ctx context.Context, named string) error {
	img, err := o.image(ctx, named)
	if err != nil {
		return fmt.Errorf("open builder %q: %w", named, err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		return fmt.Errorf("open builder %q: read its configuration: %w", named, err)
	}
	if config.Config.Labels[builderLabel] == "" {
		hint := ""
		if config.Config.Labels[packageLabel] != "" {
			hint = ": it is a buildpack, which is given with --buildpack"
		}
		return fmt.Errorf("open builder %q: the image is no builder%s", named, hint)
	}
	root, err := o.rootOf(ctx, named, img)
	if err != nil {
		return fmt.Errorf("open builder %q: %w", named, err)
	}
	o.useImage(root, config)
	if err := o.readRoot(root); err != nil {
		return fmt.Errorf("open builder %q: %w", named, err)
	}
	file := orderFile
	for _, pair := range config.Config.Env {
		if value, ok := strings.CutPrefix(pair, "CNB_ORDER_PATH="); ok {
			file = value
		}
	}
	if err := o.readOrder(root, file); err != nil {
		return fmt.Errorf("open builder %q: %w", named, err)
	}
	return nil
}

// useImage takes what the image says of itself.
func (o *opener) useImage(root string, config *v1.ConfigFile) {
	b := o.b
	b.root, b.environ = root, config.Config.Env
	for _, pair := range config.Config.Env {
		key, value, _ := strings.Cut(pair, "=")
		n, err := strconv.Atoi(value)
		switch {
		case err != nil:
		case key == "CNB_USER_ID":
			b.uid = n
		case key == "CNB_GROUP_ID":
			b.gid = n
		}
	}
	if o.Target == "" && config.OS != "" {
		b.target.OS, b.target.Arch, b.target.ArchVariant = config.OS, config.Architecture, config.Variant
	}
}

// readRoot adds the buildpacks and extensions that lie in an unpacked image.
func (o *opener) readRoot(root string) error {
	found, err := modulesIn(root)
	for _, m := range found {
		o.b.store.add(m)
	}
	return err
}

// modulesIn reads the modules of an unpacked image, by their places in it.
func modulesIn(root string) ([]*module, error) {
	r, err := os.OpenRoot(root)
	if err != nil {
		return nil, withoutPath(err)
	}
	defer func() { _ = r.Close() }() // it was only read
	var found []*module
	for _, k := range []struct{ dir, file, kind string }{
		{buildpacksDir, buildpackFile, buildpack.KindBuildpack}, {extensionsDir, extensionFile, buildpack.KindExtension},
	} {
		names, err := fs.Glob(r.FS(), k.dir+"/*/*/"+k.file)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			// It is looked at through the root, so that no link leads out of it.
			if _, err := r.Stat(name); err != nil {
				continue
			}
			dir := path.Dir(name)
			m, err := readModule(filepath.Join(root, dir))
			if err != nil {
				id := strings.ReplaceAll(path.Base(path.Dir(dir)), "_", "/")
				m = broken(k.kind, id, path.Base(dir), &problem{text: err.Error(), top: codeFailed, nested: codeDetectError})
			}
			m.inside = "/" + dir
			found = append(found, m)
		}
	}
	return found, nil
}

// readOrder reads an order.toml.
func (o *opener) readOrder(root, file string) error {
	r, err := os.OpenRoot(root)
	if err != nil {
		return withoutPath(err)
	}
	defer func() { _ = r.Close() }() // it was only read
	f, err := r.Open(strings.TrimPrefix(path.Clean("/"+file), "/"))
	if err != nil {
		return fmt.Errorf("read %s: %w", file, withoutPath(err))
	}
	defer func() { _ = f.Close() }() // it was only read
	var order struct {
		Order      buildpack.Order `toml:"order"`
		Extensions buildpack.Order `toml:"order-extensions"`
	}
	if _, err := toml.NewDecoder(io.LimitReader(f, maxDescriptor)).Decode(&order); err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	o.b.groups, o.b.exts = order.Order, order.Extensions
	return nil
}

// openPackage reads a buildpack that is packaged as an image.
func (o *opener) openPackage(ctx context.Context, named string) (modules, error) {
	img, err := o.image(ctx, named)
	if err != nil {
		return modules{}, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return modules{}, fmt.Errorf("read configuration of image: %w", err)
	}
	var is struct {
		ID      string `json:"id"`
		Version string `json:"version"`
	}
	label := config.Config.Labels[packageLabel]
	if label == "" {
		return modules{}, errors.New("the image is no buildpack: package one with pack buildpack package")
	}
	if err := json.Unmarshal([]byte(label), &is); err != nil {
		return modules{}, fmt.Errorf("read the image's label %s: %w", packageLabel, err)
	}
	root, err := o.rootOf(ctx, named, img)
	if err != nil {
		return modules{}, err
	}
	all, err := modulesIn(root)
	if err != nil {
		return modules{}, err
	}
	mods := modules{all: all}
	for _, m := range all {
		m.inside = "" // it is shown where it would be, out of this directory
		if info := m.info(); info.ID == is.ID && info.Version == is.Version {
			mods.main = m
		}
	}
	if mods.main == nil {
		return modules{}, fmt.Errorf("the image says that it is %s, but does not hold it", at(is.ID, is.Version))
	}
	return mods, nil
}

// openArchive reads a buildpack out of an archive: of a directory, or of an image.
func (o *opener) openArchive(ctx context.Context, file string) (modules, error) {
	what, err := contents(file)
	switch {
	case err != nil:
		return modules{}, err
	case what == ociArchive, what == dockerArchive:
		return o.openPackage(ctx, file)
	case what == "":
		return modules{}, errors.New("the archive holds no buildpack: pack the files beside its buildpack.toml, as tar -C DIRECTORY -czf FILE . does")
	}
	dir, err := o.tempDir()
	if err != nil {
		return modules{}, err
	}
	dir = filepath.Join(dir, strings.TrimSuffix(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), ".tar"))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return modules{}, fmt.Errorf("make a directory to unpack in: %w", err)
	}
	if err := unpackFile(ctx, file, dir); err != nil {
		return modules{}, err
	}
	return openDir(dir)
}
