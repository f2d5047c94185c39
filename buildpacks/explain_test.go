package buildpacks_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"slipway/buildpacks"
)

var update = flag.Bool("update", false, "rewrite the golden files of testdata")

func TestExplain(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]map[string]string{
		"django":      {"requirements.txt": "", "runtime.txt": "# ours\npython-3.13", "Procfile": "web: gunicorn app.wsgi\nworker: python manage.py work\n", "package.json": "{}"},
		"unavailable": {"requirements.txt": "", ".python-version": "3.13.9"},
		"unknown":     {"README.md": "", "src/app.rb": ""},
		"node":        {"package.json": "{\n  \"engines\": {\"node\": \"22.x\"},\n}", "server.py": "", "Procfile": "web node ."},
		"no-manager":  {"app.py": "", "environment.yml": ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, _ := buildpacks.Detect(t.Context(), tree(files), has) // the plan has the error too
			got := plan.Explain()
			golden := filepath.Join("testdata", "explain", name+".txt")
			if *update {
				if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("Explain() = \n%s\nwant\n%s", got, want)
			}
		})
	}
}
