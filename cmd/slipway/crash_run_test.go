package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/internal/testkit"
)

const (
	// crashesRunning is how often the server is killed while apps run.
	crashesRunning = 20
	// rightWithin is how long after a restart the formation is right.
	rightWithin = 10 * time.Second
)

// crashRunning kills the server while dynos run, and in the middle of releases,
// restarts and scaling. After each restart, what runs is the newest release in
// the wanted formation, once each, and nothing of the killed server is left.
func crashRunning(t *testing.T, start func() *testkit.Server) {
	t.Helper()
	srv := start()
	destroyAll(t, srv)
	work := filepath.Join(t.TempDir(), "app")
	copyApp(t, "python-hello", work)
	procfile := "web: python app.py\nworker: python -c 'import time; time.sleep(1e6)'\nrelease: echo released\n"
	if err := os.WriteFile(filepath.Join(work, "Procfile"), []byte(procfile), 0o600); err != nil {
		t.Fatal(err)
	}
	change(t, work, -1)
	push := func() *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), "git", "push", "-q", fmt.Sprintf("http://any:%s@%s/lasting.git", srv.Token, srv.HTTP), "main")
		cmd.Dir = work
		return cmd
	}
	if out, err := push().CombinedOutput(); err != nil {
		t.Fatalf("git push: %v\n%s", err, out)
	}
	slipway(t, srv, "ps:scale", "web=2", "worker=1", "-a", "lasting")
	checkRight(t, srv)
	for n := range crashesRunning {
		change(t, work, n)
		interrupted := []*exec.Cmd{
			nil, // nothing but dynos that run
			push(),
			slipwayCmd(t, srv, "config:set", "N="+strconv.Itoa(n), "-a", "lasting"),
			slipwayCmd(t, srv, "ps:scale", "web="+strconv.Itoa(1+n%3), "worker="+strconv.Itoa(n%2), "-a", "lasting"),
			slipwayCmd(t, srv, "ps:restart", "-a", "lasting"),
		}[n%5]
		var done sync.WaitGroup
		if interrupted != nil {
			done.Go(func() { _ = interrupted.Run() }) // whether it was told of success is part of the chance
		}
		moment := time.NewTimer(rand.N(700 * time.Millisecond))
		<-moment.C
		srv.Kill(t)
		done.Wait()
		srv = start()
		checkRight(t, srv)
		if t.Failed() {
			t.Fatalf("after crash %d", n)
		}
	}
	srv.Stop(t)
	if left := testkit.Look(srv.Data); len(left.Containers)+len(left.Mounts)+len(left.Cgroups)+len(left.Devices) > 0 {
		t.Errorf("a server that has stopped leaves %+v", left)
	}
}

// destroyAll removes the apps of other tests, whose dynos would be counted.
func destroyAll(t *testing.T, srv *testkit.Server) {
	t.Helper()
	var apps []struct{ Name string }
	if err := json.Unmarshal(slipway(t, srv, "apps", "--json"), &apps); err != nil {
		t.Fatal(err)
	}
	for _, app := range apps {
		slipway(t, srv, "apps:destroy", "-a", app.Name, "--confirm", app.Name)
	}
}

func slipwayCmd(t *testing.T, srv *testkit.Server, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), linkProgram(t), args...)
	cmd.Env = append(os.Environ(), "SLIPWAY_URL=http://"+srv.HTTP, "SLIPWAY_TOKEN="+srv.Token)
	return cmd
}

func slipway(t *testing.T, srv *testkit.Server, args ...string) []byte {
	t.Helper()
	out, err := slipwayCmd(t, srv, args...).Output()
	if err != nil {
		t.Fatalf("slipway %s: %v%s", strings.Join(args, " "), err, stderrOf(err))
	}
	return out
}

// checkRight waits until what runs is what is wanted, and fails if it takes too
// long.
func checkRight(t *testing.T, srv *testkit.Server) {
	t.Helper()
	late := time.NewTimer(rightWithin)
	defer late.Stop()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		wrong := whatIsWrong(t, srv)
		if wrong == "" {
			return
		}
		select {
		case <-again.C:
		case <-late.C:
			t.Errorf("%s after the start: %s", rightWithin, wrong)
			return
		}
	}
}

// whatIsWrong says what differs from the wanted formation of the newest
// release; "" if nothing does.
func whatIsWrong(t *testing.T, srv *testkit.Server) string {
	t.Helper()
	var (
		newest []struct {
			Version int
			Commit  string
		}
		formation []struct {
			Type     string
			Quantity int
		}
		dynos []struct {
			Name, State string
			Release     struct{ Version int }
		}
	)
	for path, into := range map[string]any{"releases?limit=1": &newest, "formation": &formation, "dynos": &dynos} {
		if err := ask(t, srv, "/apps/lasting/"+path, into); err != nil {
			return err.Error()
		}
	}
	current := newest[0]
	want := 0
	for _, f := range formation {
		want += f.Quantity
	}
	if len(dynos) != want {
		return fmt.Sprintf("there are %d dynos, want %d: %+v", len(dynos), want, dynos)
	}
	for _, d := range dynos {
		if d.State != "up" || d.Release.Version != current.Version {
			return fmt.Sprintf("%s of v%d is %s, want v%d up", d.Name, d.Release.Version, d.State, current.Version)
		}
	}
	look := testkit.Look(srv.Data)
	for what, have := range map[string][]string{"containers": look.Containers, "mounts": look.Mounts, "control groups": look.Cgroups} {
		if len(have) != want {
			return fmt.Sprintf("there are %d %s for %d dynos: %v", len(have), what, want, have)
		}
	}
	repository := filepath.Join(srv.Data, "repositories", "lasting.git")
	if ref := strings.TrimSpace(mustGit(t, repository, "rev-parse", "refs/heads/main")); ref != current.Commit {
		return fmt.Sprintf("main is at %s, the newest release is of %s", ref, current.Commit)
	}
	return answer(t, srv)
}

// ask reads an answer of the API.
func ask(t *testing.T, srv *testkit.Server, path string, into any) error {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+srv.HTTP+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+srv.Token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", path, res.Status)
	}
	return json.NewDecoder(res.Body).Decode(into)
}

// answer asks the app for its page; "" if it has it.
func answer(t *testing.T, srv *testkit.Server) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+srv.HTTP+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "lasting.localhost"
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || !strings.HasPrefix(string(body), "Hello") {
		return fmt.Sprintf("the app answers %s %q, %v", res.Status, body, err)
	}
	return ""
}

// stderrOf is what a command that failed has complained of.
func stderrOf(err error) string {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return "\n" + string(exit.Stderr)
	}
	return ""
}
