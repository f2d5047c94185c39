package testkit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// answerTimeout bounds the time from the start of an image to its first answer.
const answerTimeout = 30 * time.Second

// RunImage pulls an image with skopeo, runs its default process by runc on the
// host's network, and waits until it answers HTTP on the $PORT that it was
// given. It returns its address. The process ends with the test.
func RunImage(tb testing.TB, ref, token string) string {
	tb.Helper()
	dir := tb.TempDir()
	copied := filepath.Join(dir, "oci")
	command(tb, "skopeo", "copy", "--quiet", "--src-tls-verify=false", "--src-creds", "any:"+token, "docker://"+ref, "oci:"+copied+":app")
	port := freePort(tb)
	writeBundle(tb, copied, dir, port)
	id := "slipway-test-" + strconv.Itoa(port)
	var output bytes.Buffer
	run := exec.Command("runc", "run", "--bundle", dir, id) //nolint:noctx // ended by runc delete
	run.Stdout, run.Stderr = &output, &output
	if err := run.Start(); err != nil {
		tb.Fatalf("runc run: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = run.Wait() // it is killed in the end
	}()
	tb.Cleanup(func() {
		command(tb, "runc", "delete", "--force", id)
		<-ended
	})
	address := fmt.Sprintf("http://127.0.0.1:%d", port)
	if err := waitForAnswer(tb.Context(), address, ended); err != nil {
		command(tb, "runc", "delete", "--force", id)
		<-ended
		tb.Fatalf("%s: %v\n%s", ref, err, output.String())
	}
	return address
}

// writeBundle unpacks the image in the layout as an OCI bundle in dir.
func writeBundle(tb testing.TB, copied, dir string, port int) {
	tb.Helper()
	img, config := imageIn(tb, copied)
	rootfs := filepath.Join(dir, "rootfs")
	if err := os.Mkdir(rootfs, 0o755); err != nil {
		tb.Fatal(err)
	}
	files := mutate.Extract(img)
	defer func() { _ = files.Close() }()
	untar := exec.CommandContext(tb.Context(), "tar", "-xp", "--numeric-owner", "-C", rootfs)
	untar.Stdin = files
	if out, err := untar.CombinedOutput(); err != nil {
		tb.Fatalf("unpack image: %v\n%s", err, out)
	}
	command(tb, "runc", "spec", "--bundle", dir)
	var spec specs.Spec
	name := filepath.Join(dir, "config.json")
	raw, err := os.ReadFile(name)
	if err != nil || json.Unmarshal(raw, &spec) != nil {
		tb.Fatalf("read runc's spec: %v", err)
	}
	spec.Process.User = userOf(tb, config)
	spec.Process.Terminal = false
	spec.Process.Args = append(config.Entrypoint, config.Cmd...)
	spec.Process.Cwd = config.WorkingDir
	spec.Process.Env = append(config.Env, "PORT="+strconv.Itoa(port))
	spec.Root.Readonly = false
	spec.Linux.Namespaces = slices.DeleteFunc(spec.Linux.Namespaces, func(ns specs.LinuxNamespace) bool {
		return ns.Type == specs.NetworkNamespace
	})
	if raw, err = json.Marshal(spec); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(name, raw, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// imageIn reads the one image of an OCI layout, and how it is run.
func imageIn(tb testing.TB, dir string) (v1.Image, v1.Config) {
	tb.Helper()
	path, err := layout.FromPath(dir)
	if err != nil {
		tb.Fatal(err)
	}
	index, err := path.ImageIndex()
	if err != nil {
		tb.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		tb.Fatal(err)
	}
	img, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		tb.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		tb.Fatal(err)
	}
	return img, config.Config
}

// userOf is the image's user, which must be a number and not root's.
func userOf(tb testing.TB, config v1.Config) specs.User {
	tb.Helper()
	user, _, _ := strings.Cut(config.User, ":")
	uid, err := strconv.ParseUint(user, 10, 32)
	if err != nil || uid == 0 {
		tb.Fatalf("the image's user is %q, want a number that is not root's", config.User)
	}
	return specs.User{UID: uint32(uid), GID: uint32(uid)}
}

func waitForAnswer(ctx context.Context, address string, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			return resp.Body.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no answer within %s: %w", answerTimeout, err)
		case <-ended:
			return errors.New("the process ended")
		case <-retry.C:
		}
	}
}

// freePort finds a port that nobody uses now.
func freePort(tb testing.TB) int {
	tb.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().(*net.TCPAddr).Port
}

func command(tb testing.TB, name string, args ...string) {
	tb.Helper()
	// Also used by clean-ups, after the test's own context has ended.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), 5*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		tb.Fatalf("%s %s: %v\n%s", name, args[0], err, out)
	}
}
