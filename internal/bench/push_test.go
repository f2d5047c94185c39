//go:build bench

package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/internal/testkit"
	"slipway/internal/testkit/dockerd"
)

// upApps is how many apps are up when the server's memory is measured.
const upApps = 20

// TestBench compares, for each app, a push of a one-line change to the released
// image with the plain pack command line on Docker: the same builder, the same
// registry, the same change, one after the other in each round.
func TestBench(t *testing.T) {
	root := testkit.Root(t)
	daemon := dockerd.Start(t)
	index := testkit.ServePackages(t)
	program := filepath.Join(root, "bin", "slipway")
	common := []string{
		"--bundled-builder", testkit.Builder(t), "--build-reach", index.Addr, "--build-env", "PIP_INDEX_URL=" + index.URL,
	}
	embedded := testkit.StartServer(t, program, t.TempDir(), append(common, "--engine", "embedded")...)
	docker := testkit.StartServer(t, program, t.TempDir(), append(common, "--engine", "docker", "--docker-host", daemon.Host)...)
	peer := newPack(t, daemon, docker, index)

	var rows []row
	for _, app := range []string{"python-hello", "python-flask", "python-django"} {
		rows = append(rows, comparePushes(t, app, embedded, docker, peer)...)
	}
	rows = append(rows, memory(t, embedded))
	report(t, rows)
}

// figures are the seconds of one way to deploy, a round each.
type figures struct{ whole, rest []float64 }

func (f *figures) add(whole, buildpacks time.Duration) {
	f.whole = append(f.whole, whole.Seconds())
	f.rest = append(f.rest, (whole - buildpacks).Seconds())
}

func comparePushes(t *testing.T, app string, embedded, docker *testkit.Server, peer *pack) []row {
	t.Helper()
	work := workTree(t, app)
	var onEmbedded, onDocker, packs figures
	for n := range *rounds + 2 { // the first builds all, the second warms up
		change(t, work, n)
		e, eb := push(t, work, embedded, app)
		d, db := push(t, work, docker, app)
		p, pb := peer.build(t, work, app, n == 0)
		if n == 0 { // no dyno boots beside what is measured next
			of(embedded, app).scale(t, 0)
			of(docker, app).scale(t, 0)
		}
		if n < 2 {
			continue
		}
		onEmbedded.add(e, eb)
		onDocker.add(d, db)
		packs.add(p, pb)
	}
	return []row{
		against(app+": push, embedded engine / pack on Docker", median(onEmbedded.whole), median(packs.whole), "s", 0.7),
		against(app+": the same without the buildpacks' own time", median(onEmbedded.rest), median(packs.rest), "s", 0.6),
		against(app+": push, Docker engine / pack on Docker", median(onDocker.whole), median(packs.whole), "s", 0),
	}
}

// workTree makes a repository of a sample app.
func workTree(t *testing.T, app string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), app)
	run(t, "", "cp", "-r", filepath.Join(testkit.Root(t), "testdata", "apps", app), dir)
	run(t, dir, "git", "init", "-q", "-b", "main")
	return dir
}

// change changes one line, and commits.
func change(t *testing.T, dir string, n int) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "line.txt"), fmt.Appendf(nil, "%d\n", n), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, dir, "git", "add", "-A")
	run(t, dir, "git", "-c", "user.name=Bench", "-c", "user.email=bench@example.com", "commit", "-q", "-m", "change")
}

// push measures one git push, and reads off the server's log how long the
// buildpacks themselves took.
func push(t *testing.T, dir string, srv *testkit.Server, app string) (whole, buildpacks time.Duration) {
	t.Helper()
	seen := len(srv.Log())
	started := time.Now()
	run(t, dir, "git", "push", "-q", gitAddress(srv, app), "main")
	whole = time.Since(started)
	for line := range strings.Lines(srv.Log()[seen:]) {
		var entry struct {
			Msg        string  `json:"msg"`
			Buildpacks float64 `json:"buildpacks_took"`
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "slug built" {
			return whole, time.Duration(entry.Buildpacks * float64(time.Second))
		}
	}
	t.Fatalf("the server's log does not say that a slug was built:\n%s", srv.Log()[seen:])
	return 0, 0
}

func gitAddress(srv *testkit.Server, app string) string {
	return fmt.Sprintf("http://any:%s@%s/%s.git", srv.Token, srv.HTTP, app)
}

// pack is the plain command line, publishing to the registry of a server.
type pack struct {
	program  string
	env      []string
	registry string
	builder  string
	runImage string
	index    testkit.PackageIndex
}

// newPack builds pack's command line from its module, and signs it in.
func newPack(t *testing.T, daemon *dockerd.Daemon, srv *testkit.Server, index testkit.PackageIndex) *pack {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "pack")
	run(t, testkit.Root(t), "go", "build", "-o", program, "github.com/buildpacks/pack")
	id, err := os.ReadFile(filepath.Join(testkit.Builder(t), "id"))
	if err != nil {
		t.Fatal(err)
	}
	return &pack{
		program: program, registry: srv.HTTP, index: index,
		env:      append(os.Environ(), "DOCKER_HOST="+daemon.Host, "DOCKER_CONFIG="+signedIn(t, srv), "PACK_HOME="+dir),
		builder:  "slipway/builder:" + strings.TrimSpace(string(id)),
		runImage: srv.HTTP + "/slipway/run:" + strings.TrimSpace(string(id)),
	}
}

// build measures one pack build --publish of a folder. The buildpacks' own time
// is taken from pack's lines as they arrive: from DETECTING and from BUILDING to
// the phase that follows, as the server does.
func (p *pack) build(t *testing.T, dir, app string, first bool) (whole, buildpacks time.Duration) {
	t.Helper()
	phases, whole := p.phases(t, dir, app, first)
	for i, ph := range phases[:max(len(phases)-1, 0)] {
		if ph.name == "DETECTING" || ph.name == "BUILDING" {
			buildpacks += phases[i+1].at - ph.at
		}
	}
	if buildpacks == 0 {
		t.Fatal("pack did not say when its phases began")
	}
	return whole, buildpacks
}

// detected measures one pack build up to the end of its detection.
func (p *pack) detected(t *testing.T, dir, app string, first bool) time.Duration {
	t.Helper()
	phases, _ := p.phases(t, dir, app, first)
	for i, ph := range phases {
		if ph.name == "DETECTING" && i+1 < len(phases) {
			return phases[i+1].at
		}
	}
	t.Fatalf("pack did not say when it had detected: %v", phases)
	return 0
}

// A phase of pack, and when it began.
type phase struct {
	name string
	at   time.Duration
}

// phases builds a folder with pack, and notes its phases as it tells of them.
func (p *pack) phases(t *testing.T, dir, app string, first bool) (begun []phase, whole time.Duration) {
	t.Helper()
	args := []string{
		"build", p.registry + "/pack-" + app + ":bench", "--path", dir, "--publish", "--network", "host", "--pull-policy", "if-not-present",
		"--builder", p.builder, "--run-image", p.runImage, "--trust-builder", "--no-color",
	}
	if first { // later builds install nothing, and --env costs pack a builder image
		args = append(args, "--env", "PIP_INDEX_URL="+p.index.URL)
	}
	cmd := exec.CommandContext(t.Context(), p.program, args...)
	cmd.Env = p.env
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	started := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatalf("pack: %v", err)
	}
	var said strings.Builder
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if _, name, ok := strings.Cut(lines.Text(), "===> "); ok {
			begun = append(begun, phase{name, time.Since(started)})
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("pack: %v\n%s", err, said.String())
	}
	return begun, time.Since(started)
}

// memory is what the server holds after many pushes, when it has nothing to do.
func memory(t *testing.T, srv *testkit.Server) row {
	t.Helper()
	dir := workTree(t, "python-hello")
	for n := range upApps {
		change(t, dir, n)
		push(t, dir, srv, fmt.Sprintf("up-%02d", n))
	}
	return atMost(fmt.Sprintf("memory of the server after pushes, %d apps up", upApps), resident(t, srv), "MB", 150)
}

func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, args[0], err, out)
	}
}
