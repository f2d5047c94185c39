package docker_test

import (
	"testing"

	"slipway/buildpacks/build"
	"slipway/buildpacks/docker"
	"slipway/buildpacks/enginetest"
	"slipway/internal/testkit/dockerd"
)

func TestEngine(t *testing.T) {
	d := dockerd.Start(t)
	enginetest.Run(t, func(t *testing.T, env enginetest.Env) build.Engine {
		t.Helper()
		e, err := docker.Open(t.Context(), docker.Config{Host: d.Host, Dir: env.Dir, Resolvers: env.Resolvers})
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
