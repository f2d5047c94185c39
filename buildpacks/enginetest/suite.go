package enginetest

import (
	"context"
	"net/netip"
	"testing"

	"slipway/buildpacks/build"
)

// Env is what the suite gives to the engine under test.
type Env struct {
	// Dir is for the engine's data, and the build driver's.
	Dir string
	// Resolvers answer the builds' DNS queries.
	Resolvers []netip.AddrPort
}

// A Lister is an engine that can tell what it has: containers, networks and
// volumes of builds, caches apart. The suite asks after builds that it ended
// midway. An engine that is no Lister is only looked at from outside.
type Lister interface {
	Leftovers(ctx context.Context) ([]string, error)
}

// Run runs the suite on the engine that open opens. It needs root, a busybox
// that is linked statically (Debian's busybox-static) and go.
func Run(t *testing.T, open func(t *testing.T, env Env) build.Engine) {
	if testing.Short() {
		t.Skip("runs real builds: not with -short")
	}
	s := &suite{dir: t.TempDir(), registry: newRegistry(t, true), public: newRegistry(t, false)}
	t.Setenv("TMPDIR", t.TempDir()) // to see what pack leaves there
	s.resolver = serveDNS(t)
	s.builder = makeBuilder(t, s.dir+"/bundled")
	s.registry.push(t, runRef, s.builder.run)
	s.engine = open(t, Env{Dir: s.dir, Resolvers: []netip.AddrPort{s.resolver}})
	for _, c := range []struct {
		name string
		run  func(*testing.T, *suite)
	}{
		{"publishes an image", testPublish},
		{"the same source gives the same image", testReproducible},
		{"a rebuild finds the cache", testCache},
		{"no-cache forgets the cache", testNoCache},
		{"a failed build is shown to its last line", testLastLine},
		{"exit codes tell whose fault it is", testExitCodes},
		{"output arrives while the build waits", testLive},
		{"trace shows the lifecycle", testTrace},
		{"cancel leaves nothing", testCancel},
		{"a build that takes too long is stopped", testTimeout},
		{"memory is limited", testMemory},
		{"processes are limited", testPids},
		{"processor time is limited", testCPU},
		{"the environment reaches buildpacks and no image", testEnv},
		{"the token stays out of buildpacks", testToken},
		{"loopback and private addresses are closed", testNetwork},
		{"names are resolved", testDNS},
		{"apps build at once", testConcurrent},
		{"builds of one app take turns", testTurns},
		{"project.toml is honoured", testProject},
		{"a builder is pulled from a registry", testPull},
		{"what a killed server left is swept", testSweep},
		{"image extensions are refused", testExtensions},
		{"an untrusted builder never has the token", testUntrusted},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, s) })
	}
}

type suite struct {
	dir      string
	engine   build.Engine
	registry *registry // ours: needs the token
	public   *registry // another: open
	builder  *testBuilder
	resolver netip.AddrPort
}
