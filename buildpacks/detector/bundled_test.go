package detector_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"slipway/buildpacks/bundled"
	"slipway/buildpacks/detector"
	"slipway/internal/testkit"
)

// TestBundledBuildpacksAnswerAsTheirPrograms holds together the two ways in which
// a bundled buildpack detects: its function, asked in this process, and its
// bin/detect, run by the lifecycle.
func TestBundledBuildpacksAnswerAsTheirPrograms(t *testing.T) {
	t.Parallel()
	c := newCase(t)
	versions, err := json.Marshal(map[string]any{"versions": bundled.Pythons()})
	if err != nil {
		t.Fatal(err)
	}
	pythons := write(t, filepath.Join(c.dir, "python"), map[string]string{"versions.json": string(versions)})
	version := map[string]string{}
	for _, bp := range bundled.Buildpacks {
		var d struct {
			Buildpack struct{ Version string }
		}
		if _, err := toml.Decode(bp.Descriptor, &d); err != nil {
			t.Fatal(err)
		}
		version[bp.ID] = d.Buildpack.Version
		dir := c.add(t, bp.ID, d.Buildpack.Version, map[string]string{
			"buildpack.toml": strings.ReplaceAll(bp.Descriptor, "/opt/slipway/python", pythons), "bin/build": "",
		})
		compile(t, bp, filepath.Join(dir, "bin/detect"))
	}
	order := ""
	for _, group := range bundled.Order {
		order += "[[order]]\n"
		for _, m := range group {
			order += fmt.Sprintf("[[order.group]]\nid = %q\nversion = %q\noptional = %v\n", m.ID, version[m.ID], m.Optional)
		}
	}
	c.builder(t, order)
	b := open(t, detector.Source{})
	cases, err := os.ReadDir(filepath.Join(testkit.Shared(t), "corpus/detect"))
	if err != nil || len(cases) < 181 {
		t.Fatalf("read the corpus: %d cases, %v", len(cases), err)
	}
	every := 6
	if testing.Short() {
		every = 30
	}
	for i := 0; i < len(cases); i += every {
		c.same(t, b, filepath.Join(testkit.Shared(t), "corpus/detect", cases[i].Name(), "app"), detector.Options{All: i%2 == 0})
	}
	apps, err := filepath.Glob(filepath.Join(testkit.Root(t), "testdata/apps/*"))
	if err != nil || len(apps) == 0 {
		t.Fatalf("find the sample apps: %d, %v", len(apps), err)
	}
	for _, app := range apps {
		if !testing.Short() {
			c.same(t, b, app, detector.Options{})
		}
	}
}

// compile makes the program of a bundled buildpack, as the builder has it.
func compile(t *testing.T, bp bundled.Buildpack, to string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=",
		"-o", to, "./"+filepath.Join("buildpacks/bundled", bp.Dir, bp.Main))
	cmd.Dir = testkit.Root(t)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOAMD64=v1", "GOWORK=off", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
}
