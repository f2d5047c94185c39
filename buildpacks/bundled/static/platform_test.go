package static_test

import (
	"os"
	"strings"
	"testing"

	"slipway/buildpacks/bundled/cnbtest"
	"slipway/buildpacks/bundled/static"
)

// newPlatform makes one whose builder has the file server in dir; without, it has
// an empty one.
func newPlatform(t *testing.T, builder string, files map[string]string) *cnbtest.Platform {
	t.Helper()
	empty := builder == ""
	if empty {
		builder = t.TempDir()
	}
	p := cnbtest.New(t, strings.Replace(static.Descriptor, "/opt/slipway/static", builder, 1), files)
	p.Environ = []string{"PATH=" + os.Getenv("PATH")}
	if empty {
		p.Write(builder, map[string]string{"caddy": "", "caddy.json": `{"version": "0", "id": "x"}`})
	}
	return p
}
