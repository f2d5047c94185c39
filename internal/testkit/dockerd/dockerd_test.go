package dockerd_test

import (
	"os"
	"os/exec"
	"testing"

	"slipway/internal/testkit/dockerd"
)

func TestStart(t *testing.T) {
	var dir string
	t.Run("a daemon that ends with its test", func(t *testing.T) {
		d := dockerd.Start(t)
		dir = d.Dir
		out, err := exec.CommandContext(t.Context(), "docker", "-H", d.Host, "version").CombinedOutput()
		if err != nil {
			t.Fatalf("docker version: %v\n%s", err, out)
		}
	})
	if _, err := os.Stat(dir); !os.IsNotExist(err) && !testing.Short() {
		t.Errorf("after the test, %s is still there: %v", dir, err)
	}
}
