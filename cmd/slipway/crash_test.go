package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/internal/testkit"
)

// crashes is how often the server is killed in the middle of a push.
const crashes = 8

// crash kills the server at random moments of a push. After each restart the
// branch is where the newest release says, its image is whole, nothing of the
// killed push is left, and the next push works.
func crash(t *testing.T, start func() *testkit.Server) {
	t.Helper()
	srv := start()
	work := filepath.Join(t.TempDir(), "app")
	copyApp(t, "python-hello", work)
	address := func() string { return fmt.Sprintf("http://any:%s@%s/crashing.git", srv.Token, srv.HTTP) }
	mustGit(t, work, "push", "-q", address(), "main")
	usual := pushTime(t, work, address())
	for n := range crashes {
		change(t, work, n)
		push := exec.CommandContext(t.Context(), "git", "push", "-q", address(), "main")
		push.Dir = work
		if err := push.Start(); err != nil {
			t.Fatal(err)
		}
		moment := time.NewTimer(rand.N(usual + usual/10))
		<-moment.C
		srv.Kill(t)
		_ = push.Wait() // whether it was told of success is part of the chance
		srv = start()
		checkConsistent(t, srv)
		if rest := testkit.Leftovers(srv.Data); len(rest) > 0 {
			t.Errorf("after crash %d, left behind:\n%s", n, strings.Join(rest, "\n"))
		}
	}
	change(t, work, crashes)
	mustGit(t, work, "push", "-q", address(), "main")
	checkConsistent(t, srv)
}

// checkConsistent fails unless refs, releases and images agree, and every build
// has ended.
func checkConsistent(t *testing.T, srv *testkit.Server) {
	t.Helper()
	var current struct {
		Commit string
		Slug   struct{ Digest, Image string }
	}
	if err := json.Unmarshal(slipway(t, srv, "releases:info", "-a", "crashing", "--json"), &current); err != nil {
		t.Fatal(err)
	}
	var builds []struct{ ID, Status string }
	if err := json.Unmarshal(slipway(t, srv, "builds", "-a", "crashing", "--json"), &builds); err != nil {
		t.Fatal(err)
	}
	if len(builds) == 0 {
		t.Error("no build is recorded")
	}
	for _, b := range builds {
		if b.Status == "pending" {
			t.Errorf("build %s is pending, and nothing builds", b.ID)
		}
	}
	repository := filepath.Join(srv.Data, "repositories", "crashing.git")
	if ref := strings.TrimSpace(mustGit(t, repository, "rev-parse", "refs/heads/main")); ref != current.Commit {
		t.Errorf("main is at %s, the newest release is of %s", ref, current.Commit)
	}
	mustGit(t, repository, "fsck", "--strict", "--full", "--no-dangling")
	for _, ref := range []string{current.Slug.Image, srv.HTTP + "/crashing:latest"} {
		out, err := exec.CommandContext(t.Context(), "skopeo", "inspect", "--tls-verify=false", "--creds", "any:"+srv.Token, "docker://"+ref).Output()
		if err != nil || !strings.Contains(string(out), current.Slug.Digest) {
			t.Errorf("%s is not the newest release's image %s: %v", ref, current.Slug.Digest, err)
		}
	}
}

// pushTime is how long a push of one changed line takes.
func pushTime(t *testing.T, work, address string) time.Duration {
	t.Helper()
	change(t, work, -1)
	started := time.Now()
	mustGit(t, work, "push", "-q", address, "main")
	return time.Since(started)
}

func copyApp(t *testing.T, app, dir string) {
	t.Helper()
	from := filepath.Join(testkit.Root(t), "testdata", "apps", app)
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	mustGit(t, dir, "init", "-q", "-b", "main")
	change(t, dir, 0)
}

func change(t *testing.T, dir string, n int) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "line.txt"), fmt.Appendf(nil, "%d %d\n", n, time.Now().UnixNano()), 0o600); err != nil {
		t.Fatal(err)
	}
	mustGit(t, dir, "add", "-A")
	mustGit(t, dir, "-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit", "-q", "-m", "change")
}

func mustGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", args[0], err, out)
	}
	return string(out)
}
