package python_test

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"
)

// lockedApps are apps of each manager, of which no part is installed itself.
var lockedApps = map[string]map[string]string{
	"pipenv": {"Pipfile": "[packages]\nflask = \"*\"\n", "Pipfile.lock": `{"default": {"flask": {"version": "==3.1.3"}}}`},
	"poetry": {"pyproject.toml": "[tool.poetry]\npackage-mode = false\n", "poetry.lock": "[[package]]\nname = \"flask\"\n"},
	"uv":     {"pyproject.toml": "[project]\nname = \"x\"\n", "uv.lock": "[[package]]\nname = \"x\"\nsource = { virtual = \".\" }\n"},
}

func TestEveryManagerInstallsOnlyWhenSomethingChanged(t *testing.T) {
	t.Parallel()
	commands := map[string]string{
		"pipenv": "pipenv install --deploy\n",
		"poetry": "poetry sync --only main --no-ansi --no-interaction\n",
		"uv":     "uv sync --locked --no-default-groups --color never --no-progress\n",
	}
	pins := map[string]string{"pipenv": "Pipenv 2026.7.1", "poetry": "Poetry 2.4.1", "uv": "uv 0.12.5"}
	locks := map[string]string{"pipenv": "Pipfile.lock", "poetry": "poetry.lock", "uv": "uv.lock"}
	for id, command := range commands {
		title, _, _ := strings.Cut(pins[id], " ")
		for name, c := range map[string]struct {
			change   map[string]string
			env      map[string]string
			has, not []string
		}{
			"nothing": {
				has: []string{"-----> Using cached " + pins[id] + "\n", "-----> Requirements unchanged, skipping installation\n"},
				not: []string{command, "Installing"},
			},
			"the lock": {
				change: map[string]string{locks[id]: "{}"},
				has:    []string{"       - The contents of " + locks[id] + " changed\n", "-----> Using cached " + pins[id] + "\n", command},
			},
			"the manager's version": {
				env: map[string]string{"BP_" + strings.ToUpper(id) + "_VERSION": "1.0"},
				has: []string{"       - The " + title + " version has changed from ", " to 1.0\n", "-----> Installing " + title + " 1.0\n"},
			},
			"Python": {
				change: map[string]string{".python-version": "3.12"},
				has: []string{
					"       - The Python version has changed from 3.13.1 to 3.12.3\n", "-----> Installing " + pins[id] + "\n",
				},
				not: []string{"       - The contents"},
			},
		} {
			t.Run(id+"/"+name, func(t *testing.T) {
				t.Parallel()
				files := maps.Clone(lockedApps[id])
				files[".python-version"] = "3.13"
				p := newPlatform(t, fakeRoot(t, "3.12.3", "3.13.1"), files)
				first := p.Build()
				if !strings.Contains(first, "-----> Installing "+pins[id]+"\n") || !strings.Contains(first, command) {
					t.Fatalf("the first build lacks %q or %q:\n%s", pins[id], command, first)
				}
				p.NextBuild()
				p.Write(p.App, c.change)
				maps.Copy(p.Env, c.env)
				second := p.Build()
				for _, want := range c.has {
					if !strings.Contains(second, want) {
						t.Errorf("the second build lacks %q:\n%s", want, second)
					}
				}
				for _, not := range c.not {
					if strings.Contains(second, not) {
						t.Errorf("the second build has %q:\n%s", not, second)
					}
				}
			})
		}
	}
}

func TestAnotherManagerStartsAnew(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, fakeRoot(t, "3.13.1"), map[string]string{"requirements.txt": "flask\n", ".python-version": "3.13"})
	p.Build()
	p.NextBuild()
	p.Remove(filepath.Join(p.App, "requirements.txt"))
	p.Write(p.App, lockedApps["uv"])
	if out := p.Build(); !strings.Contains(out, "       - The package manager has changed from pip to uv\n") {
		t.Errorf("the second build = \n%s", out)
	}
}

// An app that is a package is installed anew with each build, over what is
// there of the rest.
func TestAppThatIsAPackageIsUpdated(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]map[string]string{
		"poetry": {"pyproject.toml": "[project]\nname = \"x\"\n", "poetry.lock": ""},
		"uv":     {"pyproject.toml": "[project]\nname = \"x\"\n", "uv.lock": "[[package]]\nname = \"x\"\nsource = { editable = \".\" }\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files[".python-version"] = "3.13"
			p := newPlatform(t, fakeRoot(t, "3.13.1"), files)
			p.Build()
			if l := p.Layer("dependencies"); !l.Types.Cache {
				t.Errorf("types of dependencies = %+v, want them cached", l.Types)
			}
			p.Write(p.Layers, map[string]string{"dependencies/lib/python3.13/site-packages/kept.py": ""})
			p.NextBuild()
			out := p.Build()
			if !strings.Contains(out, name+" sync ") || strings.Contains(out, "Discarding") {
				t.Errorf("the second build = \n%s", out)
			}
			if !isThere(filepath.Join(p.Layers, "dependencies/lib/python3.13/site-packages/kept.py")) {
				t.Error("what was installed is gone")
			}
			p.NextBuild()
			p.Write(p.App, map[string]string{"pyproject.toml": "[project]\nname = \"y\"\n"})
			if out := p.Build(); !strings.Contains(out, "       - The contents of pyproject.toml changed\n") {
				t.Errorf("the third build = \n%s", out)
			}
			if isThere(filepath.Join(p.Layers, "dependencies/lib/python3.13/site-packages/kept.py")) {
				t.Error("what was installed is still there")
			}
		})
	}
}

func TestManagerIsNotFetchedWhereThereIsNothingToInstall(t *testing.T) {
	t.Parallel()
	files := maps.Clone(lockedApps["poetry"])
	files[".python-version"] = "3.13"
	p := newPlatform(t, fakeRoot(t, "3.13.1"), files)
	p.Build()
	p.NextBuild()
	for _, name := range []string{"poetry", "poetry.toml"} { // the cache was lost
		p.Remove(filepath.Join(p.Layers, name))
	}
	out := p.Build()
	if strings.Contains(out, "Poetry") || !strings.Contains(out, "Requirements unchanged") {
		t.Errorf("bin/build = \n%s", out)
	}
	if isThere(filepath.Join(p.Layers, "poetry.toml")) {
		t.Error("there is a layer of Poetry, without Poetry")
	}
}

func TestOlderPoetryIsCalledByItsOwnName(t *testing.T) {
	t.Parallel()
	files := maps.Clone(lockedApps["poetry"])
	files[".python-version"] = "3.13"
	p := newPlatform(t, fakeRoot(t, "3.13.1"), files)
	p.Env["BP_POETRY_VERSION"] = "1.8.5"
	if out := p.Build(); !strings.Contains(out, "poetry install --sync --only main --no-ansi --no-interaction\n") {
		t.Errorf("bin/build = \n%s", out)
	}
}

func TestManagerThatCannotBeHadIsSaid(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ version, want string }{
		"no version":   {"latest; rm", " !     BP_UV_VERSION is set to \"latest; rm\", which is no version.\n"},
		"not on index": {"0.0.1fail1", " !     Error: Unable to install uv.\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := maps.Clone(lockedApps["uv"])
			files[".python-version"] = "3.13"
			p := newPlatform(t, fakeRoot(t, "3.13.1"), files)
			p.Env["BP_UV_VERSION"] = c.version
			out, code := p.Run("build")
			if code != 1 || !strings.Contains(out, c.want) || !strings.Contains(out, "slipway config:set BP_UV_VERSION=") {
				t.Errorf("bin/build = %d, want 1 and %q:\n%s", code, c.want, out)
			}
		})
	}
}

func TestHooksMayCallTheManager(t *testing.T) {
	t.Parallel()
	files := maps.Clone(lockedApps["poetry"])
	files[".python-version"], files["bin/post_compile"] = "3.13", "poetry run it\n"
	p := newPlatform(t, fakeRoot(t, "3.13.1"), files)
	for range 2 { // the second time from the cache
		if out := p.Build(); !strings.Contains(out, "       poetry run it\n") {
			t.Errorf("bin/build = \n%s", out)
		}
		p.NextBuild()
	}
}
