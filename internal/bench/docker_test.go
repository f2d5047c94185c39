//go:build bench

package bench

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"slipway/internal/testkit"
	"slipway/internal/testkit/dockerd"
)

// pollEvery is how often is asked whether a container answers.
const pollEvery = 5 * time.Millisecond

// A docker runs an app's image by Docker's command line. Containers are on the
// host's network, each with a PORT of its own: that spares them a bridge and NAT.
type docker struct {
	env   []string
	image string
	next  int // the port to try next
}

// newDocker pulls the app's image, which is not measured.
func newDocker(t *testing.T, daemon *dockerd.Daemon, a *app) *docker {
	t.Helper()
	// Below the range out of which connections get theirs.
	d := &docker{env: append(os.Environ(), "DOCKER_HOST="+daemon.Host, "DOCKER_CONFIG="+signedIn(t, a.srv)), image: a.image(), next: 20000}
	d.must(t, "pull", "--quiet", d.image)
	return d
}

// signedIn makes a directory with Docker's configuration for a server's registry.
func signedIn(t *testing.T, srv *testkit.Server) string {
	t.Helper()
	dir := t.TempDir()
	auth := base64.StdEncoding.EncodeToString([]byte("any:" + srv.Token))
	config := fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, srv.HTTP, auth)
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (d *docker) must(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "docker", args...)
	cmd.Env = d.env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("docker %s: %v\n%s", args[0], err, out)
	}
}

// ports finds n that are free.
func (d *docker) ports(t *testing.T, n int) []int {
	t.Helper()
	var found []int
	for ; len(found) < n && d.next < 30000; d.next++ {
		var lc net.ListenConfig
		l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:"+strconv.Itoa(d.next))
		if err != nil {
			continue
		}
		_ = l.Close()
		found = append(found, d.next)
	}
	if len(found) < n {
		t.Fatal("no free ports are left")
	}
	return found
}

// run starts a container and returns when it answers. It may do so before the
// command line has ended, for which only release waits.
func (d *docker) run(ctx context.Context, port int) (release func() error, err error) {
	cmd := exec.CommandContext(ctx, "docker", "run", "--detach", "--name", name(port),
		"--network", "host", "--env", "PORT="+strconv.Itoa(port), d.image)
	cmd.Env = d.env
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("docker run: %w", err)
	}
	return cmd.Wait, d.answers(ctx, port)
}

func (d *docker) answers(ctx context.Context, port int) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	again := time.NewTicker(pollEvery)
	defer again.Stop()
	for {
		err := visit(ctx, "127.0.0.1:"+strconv.Itoa(port), "localhost")
		if err == nil {
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("the container on port %d does not answer: %w", port, err)
		}
	}
}

// remove takes containers away.
func (d *docker) remove(t *testing.T, ports ...int) {
	t.Helper()
	args := []string{"rm", "--force"}
	for _, port := range ports {
		args = append(args, name(port))
	}
	d.must(t, args...)
}

func name(port int) string { return "bench-" + strconv.Itoa(port) }
