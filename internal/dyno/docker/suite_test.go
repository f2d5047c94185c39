package docker_test

import (
	"testing"

	"github.com/moby/moby/client"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"slipway/buildpacks/build"
	"slipway/internal/dyno"
	"slipway/internal/dyno/docker"
	"slipway/internal/dyno/dynotest"
	"slipway/internal/testkit/dockerd"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBackend(t *testing.T) { dynotest.Run(t, harness()) }

func TestLauncher(t *testing.T) { dynotest.RunLauncher(t, harness()) }

func harness() dynotest.Harness {
	return dynotest.Harness{Open: open, Left: left, Hostname: "dyno", Daemon: func(tb testing.TB) string {
		tb.Helper()
		return dockerd.Start(tb).Host
	}}
}

func open(tb testing.TB, env dynotest.Env) dyno.Backend {
	tb.Helper()
	b, err := docker.Open(tb.Context(), docker.Config{
		Host: env.Daemon, Dir: env.Dir, Registry: env.Registry, Token: env.Token,
		Limits: env.Limits, Reach: env.Reach, Resolvers: env.Resolvers,
		Log: zaptest.NewLogger(tb, zaptest.Level(zap.ErrorLevel)),
	})
	if err != nil {
		tb.Fatalf("Open() = %v", err)
	}
	return b
}

// left lists the containers that carry a directory's label.
func left(tb testing.TB, env dynotest.Env) []string {
	tb.Helper()
	c, err := client.New(client.WithHost(env.Daemon))
	if err != nil {
		tb.Fatal(err)
	}
	defer c.Close()
	list, err := c.ContainerList(tb.Context(), client.ContainerListOptions{
		All: true, Filters: make(client.Filters).Add("label", build.LabelInstance+"="+build.Instance(env.Dir)),
	})
	if err != nil {
		tb.Fatal(err)
	}
	var found []string
	for _, item := range list.Items {
		found = append(found, "container "+item.ID)
	}
	return found
}
