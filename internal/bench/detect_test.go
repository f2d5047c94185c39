//go:build bench

package bench

import (
	"bytes"
	"encoding/json"
	"errors"
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

const (
	detectDirs  = 1000 // by slipway detect
	dockerDirs  = 20   // by the lifecycle's detector in Docker: 1,000 would take ten minutes
	runcDirs    = 100  // by runc
	detectPacks = 5    // how often pack is waited for
)

// TestDetect compares detection with the lifecycle's: many directories in a row,
// one until a person sees the table, and what it takes of a push.
func TestDetect(t *testing.T) {
	root := testkit.Root(t)
	program := filepath.Join(root, "bin", "slipway")
	daemon := dockerd.Start(t)
	index := testkit.ServePackages(t)
	srv := testkit.StartServer(t, program, t.TempDir(),
		"--bundled-builder", testkit.Builder(t), "--build-reach", index.Addr, "--build-env", "PIP_INDEX_URL="+index.URL, "--engine", "embedded")
	// This server only loads the builder into Docker.
	testkit.StartServer(t, program, t.TempDir(), "--bundled-builder", testkit.Builder(t), "--engine", "docker", "--docker-host", daemon.Host)
	peer := newPack(t, daemon, srv, index)
	loaded(t, peer)

	apps := corpus(t)
	many := make([]string, detectDirs)
	for i := range many {
		many[i] = apps[i%len(apps)]
	}
	inDocker := newDetector(t, peer)
	ours := detectAll(t, program, many)
	rows := []row{
		against(fmt.Sprintf("detection of %d directories, each: slipway detect / the detector in Docker (%d of them)", detectDirs, dockerDirs),
			ours, each(sample(many, dockerDirs), func(dir string) { inDocker.docker(t, dir) }), "ms", 1.0/50),
		against(fmt.Sprintf("the same / runc run of the detector (%d of them)", runcDirs),
			ours, each(sample(many, runcDirs), func(dir string) { inDocker.runc(t, dir) }), "ms", 1.0/5),
		untilTable(t, program, peer),
		detectionInPush(t, srv),
	}
	report(t, rows)
}

// loaded waits until Docker has the bundled builder.
func loaded(t *testing.T, p *pack) {
	t.Helper()
	until(t, "Docker has the builder", 100*time.Millisecond, func() bool {
		cmd := exec.CommandContext(t.Context(), "docker", "image", "inspect", p.builder)
		cmd.Env = p.env
		return cmd.Run() == nil
	})
}

// corpus are the apps whose answers are known.
func corpus(t *testing.T) []string {
	t.Helper()
	apps, err := filepath.Glob(filepath.Join(testkit.Root(t), "..", "shared", "corpus", "detect", "*", "app"))
	if err != nil || len(apps) == 0 {
		t.Fatalf("the corpus is missing: %v", err)
	}
	return apps
}

// sample takes n of all, evenly.
func sample(all []string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = all[i*len(all)/n]
	}
	return out
}

// each is the milliseconds that one of them takes, one by one.
func each(dirs []string, detect func(dir string)) float64 {
	detect(dirs[0]) // warms up
	started := time.Now()
	for _, dir := range dirs {
		detect(dir)
	}
	return inMilliseconds(time.Since(started)) / float64(len(dirs))
}

func inMilliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// detectAll is the milliseconds that slipway detect takes for each of the directories,
// its start included.
func detectAll(t *testing.T, program string, dirs []string) float64 {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, append([]string{"detect", "--json"}, dirs...)...)
	cmd.Stdout = &out
	started := time.Now()
	err := cmd.Run()
	took := time.Since(started)
	// Some of the corpus is not to be detected, which is exit code 1.
	if exit := new(exec.ExitError); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		t.Fatalf("slipway detect: %v", err)
	}
	if n := bytes.Count(out.Bytes(), []byte("\n")); n != len(dirs) {
		t.Fatalf("slipway detect answers for %d directories, want %d", n, len(dirs))
	}
	return inMilliseconds(took) / float64(len(dirs))
}

// untilTable compares how long a person waits for slipway detect with how long
// pack takes until it has detected.
func untilTable(t *testing.T, program string, peer *pack) row {
	t.Helper()
	dir := workTree(t, "python-hello")
	var ours, packs []float64
	for n := range detectPacks + 1 {
		cmd := exec.CommandContext(t.Context(), program, "detect", ".")
		cmd.Dir = dir
		started := time.Now()
		out, err := cmd.CombinedOutput()
		table := time.Since(started)
		if err != nil || !bytes.Contains(out, []byte("slipway/python")) {
			t.Fatalf("slipway detect: %v\n%s", err, out)
		}
		detected := peer.detected(t, dir, "detect", n == 0)
		if n > 0 { // the first warms up
			ours, packs = append(ours, inMilliseconds(table)), append(packs, inMilliseconds(detected))
		}
	}
	return against("slipway detect, start to table / pack build, start to the end of DETECTING", median(ours), median(packs), "ms", 0.1)
}

// detectionInPush is what detection takes of a push of a small change.
func detectionInPush(t *testing.T, srv *testkit.Server) row {
	t.Helper()
	dir := workTree(t, "python-hello")
	var detects, pushes []float64
	for n := range *rounds + 2 {
		change(t, dir, n)
		seen := len(srv.Log())
		whole, _ := push(t, dir, srv, "detects")
		if n == 0 {
			of(srv, "detects").scale(t, 0)
		}
		if n < 2 {
			continue
		}
		detects = append(detects, detectTook(t, srv.Log()[seen:]))
		pushes = append(pushes, inMilliseconds(whole))
	}
	return against("detection / the warm push that it is part of", median(detects), median(pushes), "ms", 0.01)
}

// detectTook reads off the server's log how long detection took, in milliseconds.
func detectTook(t *testing.T, log string) float64 {
	t.Helper()
	for line := range strings.Lines(log) {
		var entry struct {
			Msg  string  `json:"msg"`
			Took float64 `json:"took"`
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "app detected" {
			return 1000 * entry.Took
		}
	}
	t.Fatalf("the server's log does not say that an app was detected:\n%s", log)
	return 0
}

// A lifecycleDetector runs the builder's own detector, in Docker or by runc.
type lifecycleDetector struct {
	*pack
	bundle string // an OCI bundle
	root   string // its root file system
	runs   int
}

const platformAPI = "0.14"

// newDetector unpacks the builder.
func newDetector(t *testing.T, p *pack) *lifecycleDetector {
	t.Helper()
	d := &lifecycleDetector{pack: p, bundle: t.TempDir()}
	d.root = filepath.Join(d.bundle, "rootfs")
	if err := os.Mkdir(d.root, 0o755); err != nil {
		t.Fatal(err)
	}
	const script = `set -eu -o pipefail
id=$(docker create "$1" true)
docker export "$id" | tar -x -C "$2"
docker rm "$id" >/dev/null`
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script, "bash", p.builder, d.root)
	cmd.Env = p.env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("unpack builder: %v\n%s", err, out)
	}
	return d
}

var detectorArgs = []string{"/cnb/lifecycle/detector", "-app", "/workspace", "-layers", "/tmp", "-log-level", "error"}

// docker runs one container a directory, as pack does for this phase when the
// builder is not trusted.
func (d *lifecycleDetector) docker(t *testing.T, dir string) {
	t.Helper()
	args := []string{
		"run", "--rm", "--network", "host", "--env", "CNB_PLATFORM_API=" + platformAPI,
		"--volume", dir + ":/workspace:ro", "--entrypoint", detectorArgs[0], d.builder,
	}
	cmd := exec.CommandContext(t.Context(), "docker", append(args, detectorArgs[1:]...)...)
	cmd.Env = d.env
	d.check(t, cmd)
}

// runc runs one container a directory, on the unpacked builder.
func (d *lifecycleDetector) runc(t *testing.T, dir string) {
	t.Helper()
	d.runs++
	type mount struct {
		Destination string   `json:"destination"`
		Type        string   `json:"type"`
		Source      string   `json:"source"`
		Options     []string `json:"options,omitempty"`
	}
	spec := map[string]any{
		"ociVersion": "1.0.2",
		"process": map[string]any{
			"user": map[string]int{"uid": 1000, "gid": 1000}, "args": detectorArgs, "cwd": "/",
			"env": []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "CNB_PLATFORM_API=" + platformAPI},
		},
		"root": map[string]any{"path": d.root, "readonly": true},
		"mounts": []mount{
			{"/proc", "proc", "proc", nil},
			{"/dev", "tmpfs", "tmpfs", []string{"nosuid", "mode=755"}},
			{"/tmp", "tmpfs", "tmpfs", []string{"mode=1777"}},
			{"/workspace", "bind", dir, []string{"rbind", "ro"}},
		},
		"linux": map[string]any{"namespaces": []map[string]string{{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}, {"type": "network"}}},
	}
	raw, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.bundle, "config.json"), raw, 0o644); err != nil {
		t.Fatal(err)
	}
	d.check(t, exec.CommandContext(t.Context(), "runc", "run", "--bundle", d.bundle, fmt.Sprintf("bench-detect-%d-%d", os.Getpid(), d.runs)))
}

// check runs a detector, which says by its exit code whether it detects.
func (d *lifecycleDetector) check(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	const noneDetected = 20
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != noneDetected) {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
}
