package static_test

import (
	"context"
	"os"
	"testing"

	"slipway/buildpacks/bundled/cnbtest"
	"slipway/buildpacks/bundled/static"
)

// TestMain lets the test binary be bin/detect and bin/build too.
func TestMain(m *testing.M) {
	code := cnbtest.Main(context.Background(), m, static.Main)
	if caddy.dir != "" {
		_ = os.RemoveAll(caddy.dir)
	}
	os.Exit(code)
}
