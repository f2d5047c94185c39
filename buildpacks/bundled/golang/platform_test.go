package golang_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/BurntSushi/toml"

	"slipway/buildpacks/bundled/cnbtest"
	"slipway/buildpacks/bundled/golang"
)

// A platform runs the buildpack over one app.
type platform struct{ *cnbtest.Platform }

func newPlatform(t *testing.T, files map[string]string) *platform {
	t.Helper()
	p := &platform{cnbtest.New(t, golang.Descriptor, files)}
	p.Environ = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.Dir, "GOROOT=/nowhere", "GOBIN=/nowhere"}
	return p
}

// web is the command of the web process, "" if there is none.
func (p *platform) web() string {
	p.T.Helper()
	var launch struct {
		Processes []struct{ Type, Command string }
	}
	_, err := toml.DecodeFile(filepath.Join(p.Layers, "launch.toml"), &launch)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.T.Fatal(err)
	}
	for _, process := range launch.Processes {
		if process.Type == "web" {
			return process.Command
		}
	}
	return ""
}
