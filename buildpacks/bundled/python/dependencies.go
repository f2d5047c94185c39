package python

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/buildpacks/libcnb"

	"slipway/buildpacks/bundled/cnb"
)

const (
	dependenciesLayerName = "dependencies"
	// layout changes when layers of older buildpacks cannot be used any more.
	layout = "2"
)

// A dependenciesLayer is the virtual environment of the app's packages.
type dependenciesLayer struct {
	app     string
	runtime runtime
	python  string // directory of the python layer
	dir     string
	manager *manager // nil for pip
	asked   asked
	stack   string
	kept    map[string]any
	django  bool
	// needed tells that the build itself uses what is installed. Then the layer
	// is in the cache too: its content is wanted in every build.
	needed bool
	reuse  bool
	// update tells that the manager goes on from what is installed.
	update bool
}

var _ libcnb.LayerContributor = (*dependenciesLayer)(nil)

func (b *build) dependenciesLayer() (*dependenciesLayer, error) {
	layer, err := b.layers.Layer(dependenciesLayerName)
	if err != nil {
		return nil, err
	}
	read := readRequirements
	if b.manager != nil {
		read = b.manager.read
	}
	asked, err := read(b.app)
	if err != nil {
		return nil, err
	}
	l := &dependenciesLayer{
		app: b.app, runtime: b.runtime, python: filepath.Join(b.layers.Path, pythonLayerName), dir: layer.Path,
		manager: b.manager, asked: asked, stack: b.stack, kept: layer.Metadata,
	}
	l.django, _ = l.kept["django"].(bool)
	l.needed = b.hasHook("post_compile") || l.django && b.wantsStatic() || l.updates()
	changes := l.changes()
	if len(l.kept) > 0 && len(changes) > 0 {
		b.out.Step("Discarding cache since:")
		for _, change := range changes {
			b.out.Detail("- %s", change)
		}
	}
	current := len(l.kept) > 0 && len(changes) == 0
	l.update = current && l.updates()
	l.reuse = current && !l.update
	return l, nil
}

// updates tells that parts of the app are installed, by a manager that need not
// install all the rest anew for them.
func (l *dependenciesLayer) updates() bool {
	return l.asked.local && l.manager != nil && l.manager.syncs
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
	if was("stack") != l.stack {
		why = append(why, fmt.Sprintf("The stack has changed from %s to %s", was("stack"), l.stack))
	}
	switch {
	case was("python") != l.runtime.version:
		why = append(why, fmt.Sprintf("The Python version has changed from %s to %s", was("python"), l.runtime.version))
	case was("builder") != l.runtime.id:
		why = append(why, "The builder's Python has changed")
	}
	why = append(why, l.managerChanges(was)...)
	if len(why) > 0 {
		return why
	}
	for _, f := range l.asked.files {
		if was(f.name) != f.sum {
			why = append(why, fmt.Sprintf("The contents of %s changed", f.name))
		}
	}
	switch {
	case len(why) > 0:
	case l.asked.local && !l.updates():
		why = append(why, "A part of the app itself is installed as a package")
	case l.needed && !cnb.IsDir(l.dir):
		why = append(why, "The installed packages are needed, but aren't in the build cache")
	}
	return why
}

// managerChanges are why what another package manager installed is of no use.
func (l *dependenciesLayer) managerChanges(was func(key string) string) []string {
	id, version := l.managerID()
	switch {
	case was("manager") != id:
		return []string{fmt.Sprintf("The package manager has changed from %s to %s", was("manager"), id)}
	case l.manager != nil && was("manager_version") != version:
		return []string{fmt.Sprintf("The %s version has changed from %s to %s", l.manager.title, was("manager_version"), version)}
	}
	return nil
}

// managerID names the package manager and its version. That of pip is the
// builder's, and part of its CPython.
func (l *dependenciesLayer) managerID() (id, version string) {
	if l.manager == nil {
		return "pip", ""
	}
	return l.manager.id, l.manager.version
}

func (l *dependenciesLayer) metadata() map[string]any {
	id, version := l.managerID()
	m := map[string]any{
		"layout": layout, "stack": l.stack, "python": l.runtime.version, "builder": l.runtime.id,
		"manager": id, "manager_version": version, "django": l.django,
	}
	for _, f := range l.asked.files {
		m[f.name] = f.sum
	}
	return m
}

// Name is the name of the layer.
func (l *dependenciesLayer) Name() string { return dependenciesLayerName }

// Contribute adds the environment that the app runs in. A layer that is kept
// without its content must stay without: then its files are the image's.
func (l *dependenciesLayer) Contribute(layer libcnb.Layer) (libcnb.Layer, error) {
	layer.LayerTypes = libcnb.LayerTypes{Launch: true, Cache: l.needed}
	layer.Metadata = l.metadata()
	if l.reuse && !cnb.IsDir(layer.Path) {
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

func (l *dependenciesLayer) site() string { return site(l.dir, l.runtime) }

// venv makes the layer an empty virtual environment.
func (l *dependenciesLayer) venv() error { return makeVenv(l.dir, l.dir, l.python, l.runtime) }

// makeVenv makes an empty virtual environment, as `python -m venv
// --without-pip` does, without starting Python. What was in clear goes.
func makeVenv(dir, clear, python string, rt runtime) error {
	if err := os.RemoveAll(clear); err != nil {
		return fmt.Errorf("clear a layer: %w", err)
	}
	for _, dir := range []string{filepath.Join(dir, "bin"), site(dir, rt)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make a virtual environment: %w", err)
		}
	}
	home := filepath.Join(python, "bin")
	for name, target := range map[string]string{
		"python": filepath.Join(home, "python3"), "python3": "python", "python" + rt.series(): "python",
	} {
		if err := os.Symlink(target, filepath.Join(dir, "bin", name)); err != nil {
			return fmt.Errorf("make a virtual environment: %w", err)
		}
	}
	for name, lines := range map[string][]string{
		"pyvenv.cfg": {
			"home = " + home,
			"include-system-site-packages = false",
			"version = " + rt.version,
			"executable = " + filepath.Join(home, "python3"),
		},
		// For hooks that source it, and Pipenv, which looks for it.
		"bin/activate": {
			"unset PYTHONHOME",
			"export VIRTUAL_ENV='" + dir + "'",
			`export PATH="${VIRTUAL_ENV}/bin:${PATH}"`,
		},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			return fmt.Errorf("make a virtual environment: %w", err)
		}
	}
	return nil
}

// site is where a virtual environment has its packages.
func site(venv string, rt runtime) string { return filepath.Join(venv, rt.lib(), "site-packages") }
