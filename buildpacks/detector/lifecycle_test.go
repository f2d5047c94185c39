package detector_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/buildpacks/lifecycle/buildpack"
	"github.com/buildpacks/lifecycle/launch"
	"github.com/buildpacks/lifecycle/platform/files"

	"slipway/buildpacks/detector"
	"slipway/internal/testkit"
)

// nobody is who the lifecycle's detector runs as, since it refuses root.
const nobody = 65534

var lifecycle struct {
	once sync.Once
	dir  string // removed by TestMain
	err  error
}

// lifecycleDetector is the lifecycle's own program, built as the bundled builder
// has it, so that go has most of it in its cache.
func lifecycleDetector(t *testing.T) string {
	t.Helper()
	lifecycle.once.Do(func() {
		lifecycle.dir, lifecycle.err = publicDir()
		if lifecycle.err != nil {
			return
		}
		cmd := exec.CommandContext(t.Context(), "go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false",
			"-o", filepath.Join(lifecycle.dir, "detector"), "github.com/buildpacks/lifecycle/cmd/lifecycle")
		cmd.Dir = filepath.Join(testkit.Root(t), "buildpacks/bundled/lifecycle")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=", "GOAMD64=v1")
		if out, err := cmd.CombinedOutput(); err != nil {
			lifecycle.err = fmt.Errorf("go build: %w: %s", err, out)
		}
	})
	if lifecycle.err != nil {
		t.Fatalf("build the lifecycle: %v", lifecycle.err)
	}
	return filepath.Join(lifecycle.dir, "detector")
}

// publicDir makes a directory that everybody may read, as those of tests are not.
func publicDir() (string, error) {
	dir, err := os.MkdirTemp("", "detector-")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o755)
}

// A trialCase is buildpacks, an order of them, and what both detectors make of it.
type trialCase struct {
	dir  string // open to everybody
	bps  []string
	exts string // orders of extensions
}

// newCase makes a directory that the lifecycle's detector may read.
func newCase(t *testing.T) *trialCase {
	t.Helper()
	dir, err := publicDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for _, sub := range []string{"buildpacks", "extensions", "platform/env", "layers"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "layers"), 0o777); err != nil {
		t.Fatal(err)
	}
	return &trialCase{dir: dir}
}

// add makes a buildpack where the lifecycle looks for it.
func (c *trialCase) add(t *testing.T, id, version string, files map[string]string) string {
	t.Helper()
	dir := write(t, filepath.Join(c.dir, "buildpacks", launch.EscapeID(id), version), files)
	c.bps = append(c.bps, fmt.Sprintf("[[buildpacks]]\nid = %q\nversion = %q\nuri = %q\n", id, version, dir))
	return dir
}

// extend makes an extension, which is tried in every group.
func (c *trialCase) extend(t *testing.T, id string, files map[string]string) {
	t.Helper()
	files["extension.toml"] = fmt.Sprintf("api = \"0.10\"\n[extension]\nid = %q\nversion = \"1.0\"\n", id)
	dir := write(t, filepath.Join(c.dir, "extensions", launch.EscapeID(id), "1.0"), files)
	c.bps = append(c.bps, fmt.Sprintf("[[extensions]]\nid = %q\nversion = \"1.0\"\nuri = %q\n", id, dir))
	c.exts += fmt.Sprintf("[[order-extensions]]\n[[order-extensions.group]]\nid = %q\nversion = \"1.0\"\n", id)
}

// builder writes the order, for both.
func (c *trialCase) builder(t *testing.T, order string) string {
	t.Helper()
	order += c.exts
	write(t, c.dir, map[string]string{
		"order.toml":    order,
		"builder.toml":  strings.Join(c.bps, "") + order,
		"analyzed.toml": "[run-image]\nreference = \"x\"\n[run-image.target]\nos = \"linux\"\narch = \"amd64\"\n[run-image.target.distro]\nname = \"debian\"\nversion = \"13\"\n",
	})
	// Extensions are run after detection, and then write it.
	if err := os.Chmod(filepath.Join(c.dir, "analyzed.toml"), 0o666); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(c.dir, "builder.toml")
}

// A verdict is what a detector decided.
type verdict struct {
	Exit  int
	Group []string
	Plan  []string
}

// run asks the lifecycle's detector.
func (c *trialCase) run(t *testing.T, app string) (verdict, string) {
	t.Helper()
	layers := filepath.Join(c.dir, "layers")
	group, plan := filepath.Join(layers, "group.toml"), filepath.Join(layers, "plan.toml")
	os.Remove(group)
	os.Remove(plan)
	cmd := exec.CommandContext(t.Context(), lifecycleDetector(t),
		"-app", app, "-buildpacks", filepath.Join(c.dir, "buildpacks"),
		"-extensions", filepath.Join(c.dir, "extensions"), "-generated", filepath.Join(layers, "generated"), "-order", filepath.Join(c.dir, "order.toml"),
		"-platform", filepath.Join(c.dir, "platform"), "-layers", layers, "-group", group, "-plan", plan,
		"-analyzed", filepath.Join(c.dir, "analyzed.toml"), "-log-level", "debug", "-no-color")
	cmd.Env = append(os.Environ(), "CNB_PLATFORM_API=0.14")
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatalf("run the lifecycle: %v", err)
	}
	v := verdict{Exit: cmd.ProcessState.ExitCode()}
	if v.Exit != 0 {
		return v, string(out)
	}
	var g buildpack.Group
	var p files.Plan
	for file, to := range map[string]any{group: &g, plan: &p} {
		if _, err := toml.DecodeFile(file, to); err != nil {
			t.Fatalf("read what the lifecycle wrote: %v", err)
		}
	}
	for _, el := range slices.Concat(g.GroupExtensions, g.Group) {
		v.Group = append(v.Group, el.String())
	}
	for _, e := range p.Entries {
		var providers []string
		var requires []detector.Require
		for _, el := range e.Providers {
			providers = append(providers, el.String())
		}
		for _, r := range e.Requires {
			requires = append(requires, detector.Require{Name: r.Name, Metadata: r.Metadata})
		}
		v.Plan = append(v.Plan, planText(t, providers, requires))
	}
	slices.Sort(v.Plan)
	return v, string(out)
}

func planText(t *testing.T, providers []string, requires []detector.Require) string {
	t.Helper()
	for i := range requires {
		if len(requires[i].Metadata) == 0 {
			requires[i].Metadata = nil
		}
	}
	data, err := json.Marshal([]any{providers, requires})
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func verdictOf(t *testing.T, r *detector.Report) verdict {
	t.Helper()
	v := verdict{Exit: r.ExitCode}
	if !r.Passed() {
		return v
	}
	ext := map[string]bool{}
	for _, res := range r.Groups[r.Chosen].Results {
		ext[res.ID+"@"+res.Version] = res.Extension
	}
	for _, wanted := range []bool{true, false} {
		for _, id := range r.Groups[r.Chosen].Chosen {
			if ext[id] == wanted {
				v.Group = append(v.Group, id)
			}
		}
	}
	for _, e := range r.Plan {
		v.Plan = append(v.Plan, planText(t, e.Providers, e.Requires))
	}
	slices.Sort(v.Plan)
	return v
}

// same checks that both detectors decide the same of app.
func (c *trialCase) same(t *testing.T, b *detector.Builder, app string, o detector.Options) *detector.Report {
	t.Helper()
	want, log := c.run(t, app)
	r := detect(t, b, app, o)
	got := verdictOf(t, r)
	if c.exts != "" {
		got.Plan, want.Plan = nil, nil // running extensions takes out what they provide
	}
	if got.Exit != want.Exit || !slices.Equal(got.Group, want.Group) || !slices.Equal(got.Plan, want.Plan) {
		var shown bytes.Buffer
		for _, g := range r.Groups {
			fmt.Fprintf(&shown, "group %d passed %v also %v: %s\n", g.Number, g.Passed, g.Also, g.Why)
			for _, res := range g.Results {
				fmt.Fprintf(&shown, "  %s %s %d %s\n", res.ID, res.Outcome, res.ExitCode, res.Err)
			}
		}
		order, _ := os.ReadFile(filepath.Join(c.dir, "order.toml"))
		t.Errorf("Detect(%q) = %+v, want %+v, as the lifecycle\n%s\n%s\n%s", app, got, want, order, log, shown.String())
	}
	// What is said of the group must fit the verdict.
	for i, g := range r.Groups {
		if g.Passed != (g.Why == "") {
			t.Errorf("group %d of Detect(%q): passed %v, and why it lost is %q", i, app, g.Passed, g.Why)
		}
	}
	return r
}
