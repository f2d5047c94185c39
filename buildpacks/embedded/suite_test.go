package embedded_test

import (
	"path/filepath"
	"testing"

	"slipway/buildpacks/build"
	"slipway/buildpacks/embedded"
	"slipway/buildpacks/enginetest"
)

var (
	_ build.Engine      = (*embedded.Engine)(nil)
	_ build.DiskMeter   = (*embedded.Engine)(nil)
	_ enginetest.Lister = (*embedded.Engine)(nil)
)

func TestEngine(t *testing.T) {
	needRoot(t)
	enginetest.Run(t, func(t *testing.T, env enginetest.Env) build.Engine {
		t.Helper()
		e, err := embedded.Open(t.Context(), embedded.Config{Dir: filepath.Join(env.Dir, "engine"), Resolvers: env.Resolvers})
		if err != nil {
			t.Fatalf("Open() = %v", err)
		}
		t.Cleanup(func() {
			if err := e.Close(); err != nil {
				t.Errorf("Close() = %v", err)
			}
		})
		return e
	})
}
