package python

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/buildpacks/libcnb"
)

const (
	dependenciesLayerName = "dependencies"
	// layout changes when layers of older buildpacks cannot be used any more.
	layout = "1"
)

// A dependenciesLayer is the virtual environment of the app's packages.
type dependenciesLayer struct {
	app     string
	runtime runtime
	python  string // directory of the python layer
	dir     string
	asked   requirements
	stack   string
	kept    map[string]any
	django  bool
	// needed tells that the build itself runs the app's code. Then the layer
	// is in the cache too: its content is wanted in every build.
	needed bool
	reuse  bool
}

var _ libcnb.LayerContributor = (*dependenciesLayer)(nil)

func (b *build) dependenciesLayer() (*dependenciesLayer, error) {
	layer, err := b.layers.Layer(dependenciesLayerName)
	if err != nil {
		return nil, err
	}
	asked, err := readRequirements(b.app)
	if err != nil {
		return nil, err
	}
	l := &dependenciesLayer{
		app: b.app, runtime: b.runtime, python: filepath.Join(b.layers.Path, pythonLayerName), dir: layer.Path,
		asked: asked, stack: b.stack, kept: layer.Metadata,
	}
	l.django, _ = l.kept["django"].(bool)
	l.needed = b.hasHook("post_compile") || l.django && b.wantsStatic()
	changes := l.changes()
	if len(l.kept) > 0 && len(changes) > 0 {
		b.out.step("Discarding cache since:")
		for _, change := range changes {
			b.out.detail("- %s", change)
		}
	}
	l.reuse = len(l.kept) > 0 && len(changes) == 0
	return l, nil
}

// changes are why packages installed earlier are of no use now.
func (l *dependenciesLayer) changes() []string {
	var why []string
	was := func(key string) string {
		if s, _ := l.kept[key].(string); s != "" {
			return s
		}
		return "unknown"
	}
	if was("layout") != layout {
		return []string{"The buildpack cache format has changed"}
	}
	if was("stack") != orUnknown(l.stack) {
		why = append(why, fmt.Sprintf("The stack has changed from %s to %s", was("stack"), orUnknown(l.stack)))
	}
	switch {
	case was("python") != l.runtime.version:
		why = append(why, fmt.Sprintf("The Python version has changed from %s to %s", was("python"), l.runtime.version))
	case was("builder") != l.runtime.id:
		why = append(why, "The builder's Python has changed")
	}
	switch {
	case was("requirements") != l.asked.sum:
		why = append(why, "The contents of requirements.txt changed")
	case l.asked.local:
		why = append(why, "A part of the app itself is installed as a package")
	case l.needed && !isDir(l.dir):
		why = append(why, "The installed packages are needed, but aren't in the build cache")
	}
	return why
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

func (l *dependenciesLayer) metadata() map[string]any {
	return map[string]any{
		"layout": layout, "stack": orUnknown(l.stack), "python": l.runtime.version, "builder": l.runtime.id,
		"requirements": l.asked.sum, "django": l.django,
	}
}

// Name is the name of the layer.
func (l *dependenciesLayer) Name() string { return dependenciesLayerName }

// Contribute adds the environment that the app runs in. A layer that is kept
// without its content must stay without: then its files are the image's.
func (l *dependenciesLayer) Contribute(layer libcnb.Layer) (libcnb.Layer, error) {
	layer.LayerTypes = libcnb.LayerTypes{Launch: true, Cache: l.needed}
	layer.Metadata = l.metadata()
	if l.reuse && !isDir(layer.Path) {
		return layer, nil
	}
	env := layer.LaunchEnvironment
	// Both layers' bin are in PATH already, in the order of their names.
	env.Prepend("PATH", ":", filepath.Join(layer.Path, "bin"))
	env.Override("VIRTUAL_ENV", layer.Path)
	env.Override("PYTHONUNBUFFERED", "1")
	env.Default("LANG", "C.UTF-8")
	env.Default("PYTHONPATH", l.app)
	env.Default("FORWARDED_ALLOW_IPS", "*")
	env.Default("GUNICORN_CMD_ARGS", "--access-logfile -")
	layer.Profile.Add("web_concurrency.sh", webConcurrency)
	return layer, nil
}

func (l *dependenciesLayer) bin(name string) string { return filepath.Join(l.dir, "bin", name) }

func (l *dependenciesLayer) site() string {
	return filepath.Join(l.dir, l.runtime.lib(), "site-packages")
}

// venv makes an empty virtual environment, as `python -m venv --without-pip`
// does, without starting Python.
func (l *dependenciesLayer) venv() error {
	if err := os.RemoveAll(l.dir); err != nil {
		return fmt.Errorf("clear the dependencies layer: %w", err)
	}
	for _, dir := range []string{filepath.Join(l.dir, "bin"), l.site()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make a virtual environment: %w", err)
		}
	}
	home := filepath.Join(l.python, "bin")
	for name, target := range map[string]string{
		"python": filepath.Join(home, "python3"), "python3": "python", "python" + l.runtime.series(): "python",
	} {
		if err := os.Symlink(target, l.bin(name)); err != nil {
			return fmt.Errorf("make a virtual environment: %w", err)
		}
	}
	config := strings.Join([]string{
		"home = " + home,
		"include-system-site-packages = false",
		"version = " + l.runtime.version,
		"executable = " + filepath.Join(home, "python3"),
		"",
	}, "\n")
	if err := os.WriteFile(filepath.Join(l.dir, "pyvenv.cfg"), []byte(config), 0o644); err != nil {
		return fmt.Errorf("make a virtual environment: %w", err)
	}
	return nil
}
