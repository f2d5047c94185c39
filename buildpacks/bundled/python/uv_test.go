package python_test

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// standInForUv makes a wheel that stands in for uv's.
func standInForUv(t *testing.T) string {
	t.Helper()
	program, err := os.ReadFile("testdata/uv.py")
	if err != nil {
		t.Fatal(err)
	}
	const info = "uv-0.12.5.dist-info/"
	file := filepath.Join(t.TempDir(), "uv-0.12.5-py3-none-any.whl")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := zip.NewWriter(f)
	for _, part := range [][2]string{
		{"uv.py", string(program)},
		{info + "METADATA", "Metadata-Version: 2.1\nName: uv\nVersion: 0.12.5\n"},
		{info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
		{info + "entry_points.txt", "[console_scripts]\nuv = uv:main\n"},
		{info + "RECORD", "uv.py,,\n"},
	} {
		to, err := w.Create(part[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := to.Write([]byte(part[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

// uv itself is not to be had from Debian: testdata/uv.py stands in for it.
func TestUvAppInstallsOnceAndLaunches(t *testing.T) {
	root := realRoot(t)
	url := wheelIndex(t, root, standInForUv(t))
	for name, c := range map[string]struct {
		registry string // in the lock
		mirror   bool   // PyPI's packages come by pip
	}{
		"lock of PyPI":       {"https://pypi.org/simple", true},
		"lock of the mirror": {url, false},
	} {
		t.Run(name, func(t *testing.T) {
			files := sample(t, "python-uv")
			files["uv.lock"] = strings.ReplaceAll(files["uv.lock"], "https://pypi.org/simple", c.registry)
			p := newPlatform(t, root, files)
			p.Env["PIP_INDEX_URL"], p.Env["TEST_PYTHON"] = url, filepath.Join(root, cpythonVersion, "bin", "python3")
			first := p.Build()
			audited := "       Audited 9 packages, installing 0 from " + url + "\n"
			if !c.mirror {
				audited = "       Audited 0 packages, installing 9 from " + url + "\n"
			}
			for _, want := range []string{
				"-----> Installing uv 0.12.5\n", "-----> Installing dependencies using 'uv sync --locked --no-default-groups'\n", audited,
			} {
				if !strings.Contains(first, want) {
					t.Errorf("the first build lacks %q:\n%s", want, first)
				}
			}
			out, err := p.launch(root, `python -c 'import app; print(app.app.test_client().get("/version").text)'; flask --version`)
			if err != nil || !strings.HasPrefix(out, cpythonVersion+"\n\nPython "+cpythonVersion) {
				t.Errorf("launch = %v:\n%s", err, out)
			}

			p.NextBuild()
			p.Write(p.App, map[string]string{"pyproject.toml": "[project]\nname = \"hello\"\ndependencies = [\"flask\"]\n"})
			second, code := p.Run("build")
			if code != 1 || !strings.Contains(second, "out of date.\n") || !strings.Contains(second, " !       uv lock\n") ||
				!strings.Contains(second, " !     Error: Unable to install dependencies using uv.\n") {
				t.Errorf("a build with an outdated lock = %d, want 1 and why:\n%s", code, second)
			}
		})
	}
}
