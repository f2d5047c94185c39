package embedded_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"slipway/internal/dyno"
	"slipway/internal/dyno/dynotest"
	"slipway/internal/dyno/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBackend(t *testing.T) { dynotest.Run(t, harness()) }

func TestLauncher(t *testing.T) { dynotest.RunLauncher(t, harness()) }

func harness() dynotest.Harness { return dynotest.Harness{Open: open, Left: left} }

func open(tb testing.TB, env dynotest.Env) dyno.Backend {
	tb.Helper()
	b, err := embedded.Open(tb.Context(), config(tb, env))
	if err != nil {
		tb.Fatalf("Open() = %v", err)
	}
	return b
}

func config(tb testing.TB, env dynotest.Env) embedded.Config {
	tb.Helper()
	return embedded.Config{
		Dir: env.Dir, Registry: env.Registry, DialRegistry: env.DialRegistry, Token: env.Token,
		Limits: env.Limits, Reach: env.Reach, Resolvers: env.Resolvers,
		Log: zaptest.NewLogger(tb, zaptest.Level(zap.WarnLevel)),
	}
}

// left lists what a backend has on the machine.
func left(tb testing.TB, env dynotest.Env) []string {
	tb.Helper()
	dir := env.Dir
	var found []string
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, dir) {
			found = append(found, "mount "+line)
		}
	}
	name := "slipway-" + embedded.Instance(dir)
	for _, pattern := range []string{"/sys/fs/cgroup/" + name, "/sys/fs/cgroup/*/" + name} {
		groups, _ := filepath.Glob(pattern + "/*")
		found = append(found, groups...)
	}
	devices, err := net.Interfaces()
	if err != nil {
		tb.Fatal(err)
	}
	for _, d := range devices {
		if strings.HasPrefix(d.Name, "sl"+embedded.Instance(dir)) {
			found = append(found, "device "+d.Name)
		}
	}
	runs, _ := filepath.Glob(filepath.Join(dir, "containers/run/*"))
	return append(found, runs...)
}
