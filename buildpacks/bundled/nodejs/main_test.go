package nodejs_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"slipway/buildpacks/bundled/cnbtest"
	"slipway/buildpacks/bundled/nodejs"
)

// lifetime is that of the test binary where it stands in for the buildpack.
var lifetime = context.Background()

// TestMain lets the test binary be bin/detect and bin/build too.
func TestMain(m *testing.M) {
	code := cnbtest.Main(lifetime, m, nodejs.Main)
	if seed.layers != "" {
		_ = os.RemoveAll(filepath.Dir(seed.layers))
	}
	os.Exit(code)
}
