package python_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeRoot is a builder's directory of CPythons, whose interpreters only say
// what they are asked to do. A pip of theirs that is to install a package manager
// makes one that says the same.
func fakeRoot(t *testing.T, versions ...string) string {
	t.Helper()
	root := t.TempDir()
	const script = `#!/bin/sh
case "$*" in *fail*) exit 3;; esac
echo "python $*"
for last; do :; done
case "$last" in
pipenv==* | poetry==* | uv==*)
	name="${last%%==*}"
	printf '#!/bin/sh\necho "%s $*"\n' "$name" >"${4%/python}/$name"
	chmod +x "${4%/python}/$name"
	;;
esac
`
	for _, v := range versions {
		for _, dir := range []string{"bin", "include", "lib"} {
			if err := os.MkdirAll(filepath.Join(root, v, dir), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(root, v, "bin", "python3"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	list := `{"versions":["` + strings.Join(versions, `","`) + `"],"pip":"25.0"}`
	if err := os.WriteFile(filepath.Join(root, "versions.json"), []byte(list), 0o644); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestDetectPassesForPythonOnly(t *testing.T) {
	t.Parallel()
	root := fakeRoot(t, "3.13.1")
	for name, c := range map[string]struct {
		file string
		code int
	}{
		"pip":                    {"requirements.txt", 0},
		"no package manager":     {"app.py", 0}, // bin/build says what is missing
		"Node.js":                {"package.json", 100},
		"nothing":                {"README", 100},
		"Node.js with an app.py": {"package.json", 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t, root, map[string]string{c.file: "{}"})
			if name == "Node.js with an app.py" {
				p.Write(p.App, map[string]string{"app.py": ""})
			}
			if out, code := p.Run("detect"); code != c.code {
				t.Errorf("bin/detect = %d, want %d:\n%s", code, c.code, out)
			}
		})
	}
}

func TestRebuildInstallsOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	const installs, skips = "install --requirement requirements.txt", "Requirements unchanged, skipping installation"
	base := map[string]string{
		"requirements.txt": "flask\n-r requirements/base.txt\n-cconstraints.txt\n", "requirements/base.txt": "click # cli\n",
		"constraints.txt": "click<9\n", ".python-version": "3.13", "Procfile": "web: python app.py",
	}
	for name, c := range map[string]struct {
		change map[string]string
		want   string
		why    string
	}{
		"nothing":           {nil, skips, ""},
		"source":            {map[string]string{"app.py": "1"}, skips, ""},
		"requirements":      {map[string]string{"requirements.txt": "django\n"}, installs, "- The contents of requirements.txt changed"},
		"included file":     {map[string]string{"requirements/base.txt": "click==8\n"}, installs, "- The contents of requirements.txt changed"},
		"constraints":       {map[string]string{"constraints.txt": "click<8\n"}, installs, "- The contents of requirements.txt changed"},
		"Python":            {map[string]string{".python-version": "3.12"}, installs, "- The Python version has changed from 3.13.1 to 3.12.3"},
		"hook that runs it": {map[string]string{"bin/post_compile": "true"}, installs, "- The installed packages are needed, but aren't in the build cache"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t, fakeRoot(t, "3.12.3", "3.13.1"), base)
			if out := p.Build(); !strings.Contains(out, installs) || strings.Contains(out, "Discarding") {
				t.Fatalf("the first build = \n%s", out)
			}
			p.NextBuild()
			p.Write(p.App, c.change)
			out := p.Build()
			if !strings.Contains(out, c.want) || !strings.Contains(out, c.why) {
				t.Errorf("the second build lacks %q or %q:\n%s", c.want, c.why, out)
			}
			if c.want == skips && strings.Contains(out, installs) {
				t.Errorf("the second build installs:\n%s", out)
			}
		})
	}
}

func TestPartsOfTheAppAreAlwaysInstalled(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"-e .", "--editable=./packages/local", ".", "./dist/x.whl", "local @ file:///workspace/x", "packages/local", "x-1.0.tar.gz"} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t, fakeRoot(t, "3.13.1"), map[string]string{
				"requirements.txt": line + "\n", ".python-version": "3.13", "x-1.0.tar.gz": "",
			})
			p.Build()
			p.NextBuild()
			if out := p.Build(); !strings.Contains(out, "- A part of the app itself is installed as a package") {
				t.Errorf("the second build = \n%s", out)
			}
		})
	}
}

func TestNothingAskedForInstallsNothing(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty": "", "comment": "# nothing yet\n\n", "option": "--index-url http://127.0.0.1/simple\n", "constraints": "-c constraints.txt\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t, fakeRoot(t, "3.13.1"), map[string]string{
				"requirements.txt": text, "constraints.txt": "flask<4\n", ".python-version": "3.13",
			})
			if out := p.Build(); !strings.Contains(out, "requirements.txt asks for no packages") || strings.Contains(out, "-m pip") {
				t.Errorf("bin/build = \n%s", out)
			}
			if _, err := os.Stat(filepath.Join(p.Layers, "dependencies/bin/python")); err != nil {
				t.Errorf("the virtual environment's python: %v", err)
			}
		})
	}
}

func TestWhatCannotBeBuiltIsSaid(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"end of life":    {map[string]string{"requirements.txt": "", "runtime.txt": "python-3.8"}, " !     Error: The requested Python version has reached end-of-life."},
		"not in builder": {map[string]string{"requirements.txt": "", "runtime.txt": "python-3.13.9"}, " !       3.13.1\n"},
		"pre_compile":    {map[string]string{"requirements.txt": "", "bin/pre_compile": "echo hello\nexit 1\n"}, "       hello\n\n !     Error: Failed to run the bin/pre_compile script."},
		"post_compile":   {map[string]string{"requirements.txt": "", "bin/post_compile": "#!/bin/sh\nexit 1\n"}, " !     Error: Failed to run the bin/post_compile script."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t, fakeRoot(t, "3.13.1"), c.files)
			out, code := p.Run("build")
			if code != 1 || !strings.Contains(out, c.want) {
				t.Errorf("bin/build = %d, want 1 and %q:\n%s", code, c.want, out)
			}
		})
	}
}

func TestIncludesEndByThemselves(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, fakeRoot(t, "3.13.1"), map[string]string{
		"requirements.txt": "-r a.txt\n-r nowhere.txt\n", "a.txt": "-r requirements.txt\nflask\n", ".python-version": "3.13",
	})
	if out := p.Build(); !strings.Contains(out, "-m pip") {
		t.Errorf("bin/build = \n%s", out)
	}
}

func TestMissingWebProcessIsTold(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, fakeRoot(t, "3.13.1"), map[string]string{
		"requirements.txt": "", ".python-version": "3.13", "Procfile": "worker: python worker.py\n",
	})
	if out := p.Build(); !strings.Contains(out, " !     Your app has a Procfile without a 'web' line,") {
		t.Errorf("no word about the missing web process:\n%s", out)
	}
}

func TestHooksSeeConfigVarsAndTheVirtualEnvironment(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, fakeRoot(t, "3.13.1"), map[string]string{
		"requirements.txt": "", ".python-version": "3.13",
		"bin/post_compile": "echo \"$GREETING from $(command -v python) [$PYTHONHOME]\"\n",
	})
	p.Env["GREETING"] = "hello"
	want := "       hello from " + filepath.Join(p.Layers, "dependencies/bin/python") + " []\n"
	if out := p.Build(); !strings.Contains(out, want) {
		t.Errorf("the hook's output lacks %q:\n%s", want, out)
	}
}
