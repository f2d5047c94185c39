package golang_test

import (
	"context"
	"os"
	"testing"

	"slipway/buildpacks/bundled/cnbtest"
	"slipway/buildpacks/bundled/golang"
)

// TestMain lets the test binary be bin/detect and bin/build too.
func TestMain(m *testing.M) {
	os.Exit(cnbtest.Main(context.Background(), m, golang.Main))
}
