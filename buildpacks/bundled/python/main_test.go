package python_test

import (
	"os"
	"path/filepath"
	"testing"

	"slipway/buildpacks/bundled/python"
)

// TestMain lets the test binary be bin/detect and bin/build too.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "detect", "build":
		os.Exit(python.Main(lifetime, os.Args, os.Environ(), os.Stdout))
	}
	code := m.Run()
	if cpython.work != "" {
		_ = os.RemoveAll(cpython.work)
	}
	os.Exit(code)
}
