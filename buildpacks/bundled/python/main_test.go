package python_test

import (
	"os"
	"testing"

	"slipway/buildpacks/bundled/cnbtest"
	"slipway/buildpacks/bundled/python"
)

// TestMain lets the test binary be bin/detect and bin/build too.
func TestMain(m *testing.M) {
	code := cnbtest.Main(lifetime, m, python.Main)
	for _, dir := range []string{cpython.work, managersDir.dir} {
		if dir != "" {
			_ = os.RemoveAll(dir)
		}
	}
	os.Exit(code)
}
