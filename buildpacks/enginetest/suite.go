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
	t.Helper()
	if testing.Short() {
		t.Skip("runs real builds: not with -short")
	}
	s := &suite{dir: t.TempDir(), registry: newRegistry(t, true), public: newRegistry(t, false)}
	t.Setenv("TMPDIR", t.TempDir()) // to see what pack leaves there
	s.resolver = serveDNS(t)
	s.builder = makeBuilder(t, s.dir+"/bundled")
	s.registry.push(t, runRef, s.builder.run)
	s.engine = open(t, Env{Dir: s.dir, Resolvers: []netip.AddrPort{s.resolver}})
	t.Run("publishes an image", s.testPublish)
	t.Run("the same source gives the same image", s.testReproducible)
	t.Run("a rebuild finds the cache", s.testCache)
	t.Run("no-cache forgets the cache", s.testNoCache)
	t.Run("a failed build is shown to its last line", s.testLastLine)
	t.Run("exit codes tell whose fault it is", s.testExitCodes)
	t.Run("output arrives while the build waits", s.testLive)
	t.Run("trace shows the lifecycle", s.testTrace)
	t.Run("cancel leaves nothing", s.testCancel)
	t.Run("a build that takes too long is stopped", s.testTimeout)
	t.Run("memory is limited", s.testMemory)
	t.Run("processes are limited", s.testPids)
	t.Run("disk is limited", s.testDisk)
	t.Run("processor time is limited", s.testCPU)
	t.Run("the environment reaches buildpacks and no image", s.testEnv)
	t.Run("the token stays out of buildpacks", s.testToken)
	t.Run("loopback and private addresses are closed", s.testNetwork)
	t.Run("names are resolved", s.testDNS)
	t.Run("apps build at once", s.testConcurrent)
	t.Run("builds of one app take turns", s.testTurns)
	t.Run("project.toml is honoured", s.testProject)
	t.Run("an app chooses its buildpacks", s.testBuildpacks)
	t.Run("other people's builders are told the version", s.testOthers)
	t.Run("a builder is pulled from a registry", s.testPull)
	t.Run("what a killed server left is swept", s.testSweep)
	t.Run("image extensions are refused", s.testExtensions)
	t.Run("an untrusted builder never has the token", s.testUntrusted)
}

type suite struct {
	dir      string
	engine   build.Engine
	registry *registry // ours: needs the token
	public   *registry // another: open
	builder  *testBuilder
	resolver netip.AddrPort
}
