package python_test

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const flaskApp = `import flask, sys
app = flask.Flask(__name__)
@app.get("/version")
def version():
    return sys.version.split()[0]
`

// The tests with a real CPython take turns: launch hides the builder's.

func TestFlaskAppInstallsOnceAndLaunches(t *testing.T) {
	root := realRoot(t)
	p := newPlatform(t, root, map[string]string{
		"requirements.txt": "-r requirements/base.txt\ngunicorn==23.0.0\n", "requirements/base.txt": "flask\n",
		"runtime.txt": "python-3.13\n", "app.py": flaskApp, "Procfile": "web: gunicorn app:app\n",
	})
	p.Env["PIP_INDEX_URL"] = index(t)

	if out, code := p.Run("detect"); code != 0 {
		t.Fatalf("bin/detect = %d, want 0:\n%s", code, out)
	}
	first := p.Build()
	for _, want := range []string{
		"-----> Using Python 3.13 specified in runtime.txt\n",
		" !     Warning: The runtime.txt file is deprecated.\n",
		"-----> Installing Python 3.13.1\n",
		"-----> Installing dependencies using 'pip install -r requirements.txt'\n",
		"       Successfully installed ",
	} {
		if !strings.Contains(first, want) {
			t.Errorf("the first build lacks %q:\n%s", want, first)
		}
	}
	const check = `python -c 'import app; print(app.app.test_client().get("/version").text)'; gunicorn --version; flask --version; head -1 $(command -v gunicorn)`
	out, err := p.launch(root, check)
	if err != nil || !strings.HasPrefix(out, cpythonVersion+"\ngunicorn (version 23.0.0)\nPython "+cpythonVersion) {
		t.Errorf("launch = %v:\n%s", err, out)
	}
	if !strings.Contains(out, "#!"+filepath.Join(p.Layers, "dependencies/bin/python")+"\n") {
		t.Errorf("gunicorn's interpreter is not the virtual environment's:\n%s", out)
	}

	p.NextBuild()
	p.Write(p.App, map[string]string{"app.py": flaskApp + "# changed\n"})
	start := time.Now()
	second := p.Build()
	t.Logf("a build with nothing to do took %v", time.Since(start))
	if !strings.Contains(second, "-----> Requirements unchanged, skipping installation\n") || strings.Contains(second, "Installing") {
		t.Errorf("the second build installs something:\n%s", second)
	}
	for _, name := range []string{"python", "dependencies"} {
		if _, err := os.Lstat(filepath.Join(p.Layers, name)); err == nil {
			t.Errorf("the second build has content in layer %s, want none", name)
		}
		if l := p.Layer(name); !l.Types.Launch || l.Types.Build {
			t.Errorf("types of layer %s = %+v, want launch only", name, l.Types)
		}
	}

	p.NextBuild()
	p.Write(p.App, map[string]string{"requirements/base.txt": "itsdangerous\n"})
	third := p.Build()
	if !strings.Contains(third, "       - The contents of requirements.txt changed\n") || !strings.Contains(third, "Successfully installed") {
		t.Errorf("the third build does not install anew:\n%s", third)
	}
	if _, err := os.Stat(filepath.Join(p.Layers, "dependencies/lib/python3.13/site-packages/flask")); err == nil {
		t.Error("flask is still installed")
	}
}

func TestDjangoAppCollectsStatic(t *testing.T) {
	root := realRoot(t)
	p := newPlatform(t, root, map[string]string{
		"requirements.txt": "django\nwhitenoise\n", ".python-version": "3.13\n", "Procfile": "web: python manage.py runserver\n",
		"backend/manage.py": `import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
`,
		"backend/settings.py": `import pathlib
SECRET_KEY = "x"
INSTALLED_APPS = ["django.contrib.staticfiles"]
STATIC_URL = "static/"
STATICFILES_DIRS = [pathlib.Path(__file__).parent / "assets"]
STATIC_ROOT = pathlib.Path(__file__).parent / "collected"
`,
		"backend/assets/style.css": "body {}\n",
	})
	p.Env["PIP_INDEX_URL"] = index(t)

	first := p.Build()
	if !strings.Contains(first, "-----> $ python backend/manage.py collectstatic --noinput\n") ||
		!strings.Contains(first, "1 static file copied") {
		t.Errorf("nothing was collected:\n%s", first)
	}
	if l := p.Layer("dependencies"); !l.Types.Cache {
		t.Errorf("types of dependencies = %+v, want them cached", l.Types)
	}

	p.NextBuild()
	p.Write(p.App, map[string]string{"backend/assets/more.css": "p {}\n"})
	second := p.Build()
	if !strings.Contains(second, "Requirements unchanged") || !strings.Contains(second, "1 static file copied") {
		t.Errorf("the second build = \n%s", second)
	}
	if _, err := os.Lstat(filepath.Join(p.Layers, "python")); err == nil {
		t.Error("the second build leaves a python layer")
	}

	p.NextBuild()
	p.Write(p.App, map[string]string{"backend/settings.py": "raise Exception('broken settings')\n"})
	out, code := p.Run("build")
	if code != 1 || !strings.Contains(out, " !     Error: Unable to generate Django static files.\n") || !strings.Contains(out, "broken settings") ||
		!strings.Contains(out, "slipway config:set DISABLE_COLLECTSTATIC=1\n") {
		t.Errorf("bin/build = %d, want 1 and why:\n%s", code, out)
	}

	p.Env["DISABLE_COLLECTSTATIC"] = "1"
	if out := p.Build(); !strings.Contains(out, "Skipping Django collectstatic since the env var DISABLE_COLLECTSTATIC is set.") {
		t.Errorf("collectstatic is not skipped:\n%s", out)
	}
}

func TestSameAppMakesSameLayers(t *testing.T) {
	root := realRoot(t)
	p := newPlatform(t, root, map[string]string{"requirements.txt": "flask\n", ".python-version": "3.13"})
	p.Env["PIP_INDEX_URL"] = index(t)
	p.Build()
	first := sums(t, p.Layers)
	if err := os.RemoveAll(p.Layers); err != nil {
		t.Fatal(err)
	}
	p.Build()
	second := sums(t, p.Layers)
	for name, sum := range first {
		if second[name] != sum {
			t.Errorf("%s differs between two builds", name)
		}
	}
	if len(first) != len(second) || len(first) < 1000 {
		t.Errorf("%d and %d files, want as many and many", len(first), len(second))
	}
}

// sums digests what the exporter would: names, modes and contents.
func sums(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if d.Type()&fs.ModeSymlink != 0 {
			out[name], err = os.Readlink(path)
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		out[name] = fmt.Sprintf("%v %x", info.Mode(), sha256.Sum256(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFailedInstallSaysWhy(t *testing.T) {
	root := realRoot(t)
	for name, c := range map[string]struct{ requirements, index, want string }{
		"no such package":     {"no-such-package\n", index(t), " !     Error: Unable to install dependencies using pip.\n"},
		"invalid requirement": {"an invalid requirement!\n", index(t), "       ERROR: Invalid requirement: "},
		"no index":            {"flask\n", "http://127.0.0.1:1/simple", " !     Error: The Python package index couldn't be reached.\n"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlatform(t, root, map[string]string{"requirements.txt": c.requirements, ".python-version": "3.13"})
			p.Env["PIP_INDEX_URL"], p.Env["PIP_RETRIES"] = c.index, "1"
			out, code := p.Run("build")
			if code != 1 || !strings.Contains(out, c.want) {
				t.Errorf("bin/build = %d, want 1 and %q:\n%s", code, c.want, out)
			}
		})
	}
}
