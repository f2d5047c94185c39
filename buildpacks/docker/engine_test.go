package docker_test

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"go.uber.org/goleak"

	"slipway/buildpacks/build"
	"slipway/buildpacks/docker"
	"slipway/buildpacks/enginetest"
	"slipway/internal/testkit/dockerd"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEngine(t *testing.T) {
	d := dockerd.Start(t)
	enginetest.Run(t, func(t *testing.T, env enginetest.Env) build.Engine {
		t.Helper()
		return open(t, docker.Config{Host: d.Host, Dir: env.Dir, Resolvers: env.Resolvers})
	})
	t.Run("what a killed server left is removed", onDaemon{d}.testRecover)
	t.Run("a daemon that was restarted", onDaemon{d}.testHolderGone)
	t.Run("a build that has not ended keeps its network", onDaemon{d}.testHolderShared)
	t.Run("available", func(t *testing.T) {
		e := open(t, docker.Config{Host: d.Host, Dir: t.TempDir()})
		if v, err := e.ServerVersion(t.Context(), client.ServerVersionOptions{}); err != nil || v.Version == "" {
			t.Errorf("ServerVersion() = %q, %v", v.Version, err)
		}
	})
}

func open(t *testing.T, cfg docker.Config) *docker.Engine {
	t.Helper()
	e, err := docker.Open(t.Context(), cfg)
	if err != nil {
		t.Fatalf("Open() = %v", err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return e
}

// onDaemon is tests of a daemon.
type onDaemon struct{ d *dockerd.Daemon }

func (o onDaemon) testRecover(t *testing.T) {
	killed := docker.Config{Host: o.d.Host, Dir: t.TempDir()}
	other := docker.Config{Host: o.d.Host, Dir: t.TempDir()}
	for _, cfg := range []docker.Config{killed, other} {
		e := open(t, cfg)
		network, err := e.OpenNetwork(t.Context(), nil)
		if err != nil {
			t.Fatalf("OpenNetwork() = %v", err)
		}
		t.Cleanup(func() { _ = network.Close() }) // its holder may be gone
		instance := build.Instance(cfg.Dir)
		res, err := e.ContainerCreate(t.Context(), client.ContainerCreateOptions{
			Config: &container.Config{
				Image: "slipway/holder:1", Labels: map[string]string{build.LabelInstance: instance, build.LabelBuild: "b1"},
			},
			HostConfig: &container.HostConfig{
				NetworkMode: container.NetworkMode(network.Mode()),
				Binds: []string{
					build.VolumePrefix(instance) + "layers-abc:/layers",
					build.CacheVolume(instance, "hello") + ":/cache",
				},
			},
		})
		if err != nil {
			t.Fatalf("create container: %v", err)
		}
		if _, err := e.ContainerStart(t.Context(), res.ID, client.ContainerStartOptions{}); err != nil {
			t.Fatalf("start container: %v", err)
		}
	}
	again := open(t, killed)
	if left, err := again.Leftovers(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("after Open: %v, %v, want nothing", left, err)
	}
	if left, err := open(t, docker.Config{Host: o.d.Host, Dir: t.TempDir()}).Leftovers(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("a third server has %v, %v, want nothing", left, err)
	}
	volumes, err := again.VolumeList(t.Context(), client.VolumeListOptions{})
	if err != nil {
		t.Fatalf("list volumes: %v", err)
	}
	var names []string
	for _, v := range volumes.Items {
		names = append(names, v.Name)
	}
	all := strings.Join(names, " ")
	for _, want := range []string{
		build.CacheVolume(build.Instance(killed.Dir), "hello"),
		build.CacheVolume(build.Instance(other.Dir), "hello"),
		build.VolumePrefix(build.Instance(other.Dir)) + "layers-abc",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("volume %s is gone; left are %s", want, all)
		}
	}
	open(t, other) // removes its own
}

// testHolderGone has somebody remove the idle holder.
func (o onDaemon) testHolderGone(t *testing.T) {
	cfg := docker.Config{Host: o.d.Host, Dir: t.TempDir()}
	e := open(t, cfg)
	mode := ""
	for range 2 {
		network, err := e.OpenNetwork(t.Context(), nil)
		if err != nil {
			t.Fatalf("OpenNetwork() = %v", err)
		}
		if mode != "" && network.Mode() != mode {
			t.Errorf("Mode() = %q, want that of the idle holder, %q", network.Mode(), mode)
		}
		mode = network.Mode()
		if err := network.Close(); err != nil {
			t.Fatalf("Close() = %v", err)
		}
	}
	id := strings.TrimPrefix(mode, "container:")
	if _, err := e.ContainerRemove(t.Context(), id, client.ContainerRemoveOptions{Force: true}); err != nil {
		t.Fatalf("remove holder: %v", err)
	}
	network, err := e.OpenNetwork(t.Context(), nil)
	if err != nil {
		t.Fatalf("OpenNetwork() after the holder was removed = %v", err)
	}
	if network.Mode() == mode {
		t.Errorf("Mode() = %q, that of the removed holder", mode)
	}
	if err := network.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
}

// testHolderShared closes a network in which a container still runs.
func (o onDaemon) testHolderShared(t *testing.T) {
	e := open(t, docker.Config{Host: o.d.Host, Dir: t.TempDir()})
	network, err := e.OpenNetwork(t.Context(), nil)
	if err != nil {
		t.Fatalf("OpenNetwork() = %v", err)
	}
	res, err := e.ContainerCreate(t.Context(), client.ContainerCreateOptions{
		Config:     &container.Config{Image: "slipway/holder:1"},
		HostConfig: &container.HostConfig{NetworkMode: container.NetworkMode(network.Mode())},
	})
	if err != nil {
		t.Fatalf("create container: %v", err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if _, err := e.ContainerRemove(ctx, res.ID, client.ContainerRemoveOptions{Force: true}); err != nil {
			t.Errorf("remove container: %v", err)
		}
	})
	if _, err := e.ContainerStart(t.Context(), res.ID, client.ContainerStartOptions{}); err != nil {
		t.Fatalf("start container: %v", err)
	}
	if err := network.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
	next, err := e.OpenNetwork(t.Context(), nil)
	if err != nil {
		t.Fatalf("OpenNetwork() = %v", err)
	}
	if next.Mode() == network.Mode() {
		t.Error("the next build is in the network of one that still runs")
	}
	if err := next.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	nobody := "unix://" + filepath.Join(t.TempDir(), "docker.sock")
	if _, err := docker.Open(t.Context(), docker.Config{Host: nobody, Dir: t.TempDir()}); !errors.Is(err, docker.ErrUnavailable) {
		t.Errorf("Open() without a daemon = %v, want ErrUnavailable", err)
	}
	if _, err := docker.Open(t.Context(), docker.Config{Host: "nonsense", Dir: t.TempDir()}); err == nil {
		t.Error("Open() of a host that is none = nil")
	}
	if _, err := docker.Open(t.Context(), docker.Config{}); err == nil {
		t.Error("Open() without a directory = nil")
	}
}

// The holder's program is made by hand: the kernel and readelf must take it.
func TestHolderProgram(t *testing.T) {
	file := docker.WriteHolderProgram(t, t.TempDir())
	out, err := exec.CommandContext(t.Context(), "timeout", "--signal=KILL", "0.2", file).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys() == nil || !strings.Contains(exit.Error(), "killed") && exit.ExitCode() != 137 {
		t.Errorf("the holder's program: %v, want that it waits until it is killed\n%s", err, out)
	}
}

// A daemon answers a moment before the holder runs its program.
func TestHolderIsAwaited(t *testing.T) {
	file := docker.WriteHolderProgram(t, t.TempDir())
	cmd := exec.CommandContext(t.Context(), "bash", "-c", `read && exec -a /pause "$0"`, file)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	})
	early, cancel := context.WithCancel(t.Context())
	cancel()
	if docker.Awake(early, cmd.Process.Pid) {
		t.Error("a holder that does not run its program yet is taken for awake")
	}
	awake := make(chan bool)
	go func() { awake <- docker.Awake(t.Context(), cmd.Process.Pid) }()
	if _, err := stdin.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	if !<-awake {
		t.Error("the holder never is awake")
	}
}
