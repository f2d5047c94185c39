// Command libcnb is a bin/detect over libcnb, for tests: it passes where there is
// a manage.py, with two plans.
package main

import (
	"os"
	"path/filepath"

	"github.com/buildpacks/libcnb"
)

func main() {
	libcnb.Detect(detector{}) //nolint:staticcheck // a bin/detect only
}

type detector struct{}

// Detect implements [libcnb.Detector].
func (detector) Detect(c libcnb.DetectContext) (libcnb.DetectResult, error) {
	if data, err := os.ReadFile("/etc/marker"); err == nil { // it runs in an image of the tests
		_, _ = os.Stdout.Write(data)
	}
	if _, err := os.Stat(filepath.Join(c.Application.Path, "manage.py")); err != nil {
		return libcnb.DetectResult{}, nil //nolint:nilerr // then it is not for this app
	}
	provides := []libcnb.BuildPlanProvide{{Name: "django"}}
	return libcnb.DetectResult{Pass: true, Plans: []libcnb.BuildPlan{
		{Provides: provides, Requires: []libcnb.BuildPlanRequire{{Name: "cpython"}}},
		{Provides: provides, Requires: []libcnb.BuildPlanRequire{{Name: "django", Metadata: map[string]any{"from": "manage.py"}}}},
	}}, nil
}
