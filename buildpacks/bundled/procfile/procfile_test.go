package procfile_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"slipway/buildpacks"
	"slipway/buildpacks/bundled/cnbtest"
	"slipway/buildpacks/bundled/procfile"
)

// TestMain lets the test binary be bin/detect and bin/build too.
func TestMain(m *testing.M) {
	os.Exit(cnbtest.Main(context.Background(), m, procfile.Main))
}

func TestDetectIsForAppsThatSlipwayRuns(t *testing.T) {
	t.Parallel()
	web := &fstest.MapFile{Data: []byte("web: ./serve\n")}
	for name, c := range map[string]struct {
		files fstest.MapFS
		want  bool
	}{
		"a Procfile alone":      {fstest.MapFS{"Procfile": web}, true},
		"beside Python":         {fstest.MapFS{"Procfile": web, "requirements.txt": {}}, true},
		"beside Ruby":           {fstest.MapFS{"Procfile": web, "Gemfile": {}}, false},
		"a Procfile of nothing": {fstest.MapFS{"Procfile": {Data: []byte("# later\n")}}, false},
		"none":                  {fstest.MapFS{"requirements.txt": {}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, _ := buildpacks.Detect(t.Context(), c.files, buildpacks.Options{}) // some have no language
			if got := procfile.Detect(c.files, plan); got.Pass != c.want {
				t.Errorf("Detect = %v, want %v", got.Pass, c.want)
			}
		})
	}
}

func TestBuildDeclaresTheProcesses(t *testing.T) {
	t.Parallel()
	p := cnbtest.New(t, procfile.Descriptor, map[string]string{"Procfile": "worker: python worker.py\nclock: FOO=1 python \"a b.py\" && true\n"})
	p.Build()
	launch, err := os.ReadFile(filepath.Join(p.Layers, "launch.toml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`command = "FOO=1 python \"a b.py\" && true"`, `command = "python worker.py"`} {
		if !strings.Contains(string(launch), want) {
			t.Errorf("launch.toml lacks %s:\n%s", want, launch)
		}
	}
	if strings.Contains(string(launch), "direct = true") || strings.Contains(string(launch), "default = true") {
		t.Errorf("launch.toml has a direct or a default process:\n%s", launch)
	}
}
