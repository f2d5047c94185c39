package python_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sample is the files of an app in testdata/apps.
func sample(t *testing.T, name string) map[string]string {
	t.Helper()
	files := map[string]string{}
	dir := filepath.Join(repository(t), "testdata", "apps", name)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[rel] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// The managers are Debian's, each the real program.
func TestAppsOfOtherManagersInstallOnceAndLaunch(t *testing.T) {
	root := realRoot(t)
	url, versions := managerIndex(t, root)
	for _, c := range []struct {
		id, title, command string
		change             map[string]string // makes the lock outdated
		lock               string
		command2           string // shown to run at launch; may be empty
	}{
		{
			id: "pipenv", title: "Pipenv", command: "pipenv install --deploy", lock: "Pipfile.lock",
			change: map[string]string{"Pipfile": "[packages]\nflask = \"<3\"\n"}, command2: "pipenv run flask --version",
		},
		{
			id: "poetry", title: "Poetry", command: "poetry sync --only main", lock: "poetry.lock",
			change: map[string]string{"pyproject.toml": "[project]\nname='x'\nversion='1'\ndependencies=['flask<3']\n[tool.poetry]\npackage-mode=false\n"},
		},
	} {
		t.Run(c.id, func(t *testing.T) {
			p := newPlatform(t, root, sample(t, "python-"+c.id))
			p.Env["PIP_INDEX_URL"], p.Env["BP_"+strings.ToUpper(c.id)+"_VERSION"] = url, versions[c.id]
			start := time.Now()
			first := p.Build()
			t.Logf("the first build took %v:\n%s", time.Since(start), first)
			for _, want := range []string{
				"-----> Installing " + c.title + " " + versions[c.id] + "\n",
				"-----> Installing dependencies using '" + c.command + "'\n",
			} {
				if !strings.Contains(first, want) {
					t.Errorf("the first build lacks %q:\n%s", want, first)
				}
			}
			check := `python -c 'import app; print(app.app.test_client().get("/version").text)'; flask --version; ` + c.command2
			out, err := p.launch(root, check)
			want := cpythonVersion + "\n\nPython " + cpythonVersion
			if c.command2 != "" {
				want += "\nFlask 3.1.3\nWerkzeug 3.1.9\nPython"
			}
			if err != nil || !strings.HasPrefix(out, want) {
				t.Errorf("launch = %v, want %q:\n%s", err, want, out)
			}
			if l := p.Layer(c.id); !l.Types.Cache || l.Types.Launch != (c.id == "pipenv") {
				t.Errorf("types of layer %s = %+v", c.id, l.Types)
			}

			p.NextBuild()
			second := p.Build()
			if !strings.Contains(second, "-----> Using cached "+c.title) || !strings.Contains(second, "Requirements unchanged") {
				t.Errorf("the second build = \n%s", second)
			}
			p.NextBuild()
			p.Write(p.App, c.change)
			third, code := p.Run("build")
			if code != 1 || !strings.Contains(third, " !     Error: Your app's "+c.lock+" is out of date.\n") ||
				!strings.Contains(third, " !     Error: Unable to install dependencies using "+c.title+".\n") {
				t.Errorf("a build with an outdated lock = %d, want 1 and why:\n%s", code, third)
			}
		})
	}
}

func TestManagerOutOfReachIsSaid(t *testing.T) {
	root := realRoot(t)
	p := newPlatform(t, root, sample(t, "python-poetry"))
	p.Env["PIP_INDEX_URL"], p.Env["PIP_RETRIES"] = "http://127.0.0.1:1/simple", "1"
	out, code := p.Run("build")
	for _, want := range []string{
		" !     Error: The Python package index couldn't be reached.\n",
		" !     Poetry itself is installed from the Python package index.\n",
		" !     Error: Unable to install Poetry.\n",
	} {
		if code != 1 || !strings.Contains(out, want) {
			t.Errorf("bin/build = %d, want 1 and %q:\n%s", code, want, out)
		}
	}
}
