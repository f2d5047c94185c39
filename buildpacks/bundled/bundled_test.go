package bundled_test

import (
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/buildpacks/pack/pkg/blob"
	"github.com/buildpacks/pack/pkg/client"
	"github.com/buildpacks/pack/pkg/logging"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"slipway/buildpacks/bundled"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// builderDir is the bundled builder that `make builder` makes.
func builderDir(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("needs the bundled builder and root")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root to enter the images")
	}
	dir, err := filepath.Abs("../../bin/builder")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "index.json")); err != nil {
		t.Fatalf("the bundled builder is missing (%v); make it with: make builder", err)
	}
	return dir
}

// images are the two images of the builder by name.
func images(t *testing.T, dir string) map[string]v1.Image {
	t.Helper()
	path, err := layout.FromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	index, err := path.ImageIndex()
	if err != nil {
		t.Fatal(err)
	}
	m, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]v1.Image{}
	for _, d := range m.Manifests {
		img, err := index.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		out[d.Annotations["org.opencontainers.image.ref.name"]] = img
	}
	if out["builder"] == nil || out["run"] == nil || len(out) != 2 {
		t.Fatalf("layout has images %v, want builder and run", out)
	}
	return out
}

// unpack applies the layers of an image to a new directory.
func unpack(t *testing.T, img v1.Image) string {
	t.Helper()
	root := t.TempDir()
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range layers {
		r, err := l.Compressed()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "tar", "-xzp", "--numeric-owner", "-C", root)
		cmd.Stdin = r
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("unpack layer: %v: %s", err, out)
		}
		r.Close()
	}
	if out, err := exec.CommandContext(t.Context(), "find", root, "-name", ".wh.*").Output(); err != nil || len(out) > 0 {
		t.Fatalf("tar does not understand the whiteouts %s (%v)", out, err)
	}
	return root
}

// inside runs a command in a root file system, as its user where user is set,
// with /proc and /dev as a container has them.
func inside(t *testing.T, root, user string, command ...string) (string, error) {
	t.Helper()
	const script = `set -eu
mount -t proc none "$1/proc"
mount --rbind /dev "$1/dev"
root=$1; user=$2; shift 2
exec chroot --userspec="$user" "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LANG=C.UTF-8 CNB_PLATFORM_API=0.15 "$@"`
	args := append([]string{
		"--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--", "sh", "-c", script, "sh", root, user,
	}, command...)
	out, err := exec.CommandContext(t.Context(), "unshare", args...).CombinedOutput()
	return string(out), err
}

func mustRun(t *testing.T, root, user string, command ...string) string {
	t.Helper()
	out, err := inside(t, root, user, command...)
	if err != nil {
		t.Fatalf("%q: %v: %s", command, err, out)
	}
	return out
}

func TestRunImageIsSmallAndSafe(t *testing.T) {
	dir := builderDir(t)
	img := images(t, dir)["run"]
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := config.Config.User, "1000:1000"; got != want {
		t.Errorf("user = %q, want %q", got, want)
	}
	if got := config.Config.Labels["io.buildpacks.base.distro.name"] + config.Config.Labels["io.buildpacks.base.distro.version"]; got != "debian13" {
		t.Errorf("distribution = %q, want debian13", got)
	}
	root := unpack(t, img)
	for _, name := range []string{"gcc", "g++", "cc", "make", "git", "python3", "ld", "as"} {
		if found, err := inside(t, root, "1000:1000", "sh", "-c", "command -v "+name); err == nil {
			t.Errorf("the run image has %s: %s", name, found)
		}
	}
	if got, want := strings.TrimSpace(mustRun(t, root, "1000:1000", "id", "-un")), "cnb"; got != want {
		t.Errorf("user name = %q, want %q", got, want)
	}
	for _, lib := range []string{"libssl.so.3", "libpq.so.5", "libsqlite3.so.0", "libffi.so.8", "libz.so.1", "libstdc++.so.6", "libmariadb.so.3"} {
		if out := mustRun(t, root, "1000:1000", "/sbin/ldconfig", "-p"); !strings.Contains(out, lib) {
			t.Errorf("the run image lacks %s", lib)
		}
	}
	for _, pattern := range []string{"var/lib/apt/lists/*", "var/cache/*", "var/log/*", "etc/machine-id", "usr/share/man/*", "dev/*", "tmp/*", "run/*"} {
		if left, err := filepath.Glob(filepath.Join(root, pattern)); err != nil || len(left) > 0 {
			t.Errorf("the run image has %v (%v)", left, err)
		}
	}
	if set := mustRun(t, root, "0:0", "find", "/", "-xdev", "-perm", "/6000", "-type", "f"); strings.Contains(set, "sudo") {
		t.Errorf("the run image has sudo: %s", set)
	}
}

func TestBuilderSharesTheRunImagesLayer(t *testing.T) {
	all := images(t, builderDir(t))
	run, err := all["run"].Manifest()
	if err != nil {
		t.Fatal(err)
	}
	builder, err := all["builder"].Manifest()
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range run.Layers {
		if builder.Layers[i].Digest != l.Digest {
			t.Errorf("layer %d of the builder = %v, want the run image's %v", i, builder.Layers[i].Digest, l.Digest)
		}
	}
	for _, l := range builder.Layers {
		if !strings.HasPrefix(string(l.MediaType), "application/vnd.oci.") {
			t.Errorf("a layer of the builder is %s, want an OCI layer", l.MediaType)
		}
	}
	for name, img := range all {
		if err := validate.Image(img, validate.Fast); err != nil {
			t.Errorf("the %s image is not sound: %v", name, err)
		}
	}
}

func TestPackReadsTheBuilder(t *testing.T) {
	dir := builderDir(t)
	srv := httptest.NewServer(registry.New(registry.Logger(zap.NewStdLog(zap.NewNop()))))
	defer srv.Close()
	ref := strings.TrimPrefix(srv.URL, "http://") + "/slipway/builder:test"
	parsed, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(parsed, images(t, dir)["builder"], remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	log := logging.NewSimpleLogger(io.Discard)
	c, err := client.NewClient(client.WithLogger(log), client.WithDownloader(blob.NewDownloader(log, t.TempDir())),
		client.WithKeychain(authn.NewMultiKeychain()))
	if err != nil {
		t.Fatal(err)
	}
	info, err := c.InspectBuilder(ref, false)
	if err != nil {
		t.Fatal(err)
	}
	if info == nil {
		t.Fatal("pack finds no builder")
	}
	if got, want := info.Lifecycle.Info.Version.String(), "0.21.0"; got != want {
		t.Errorf("lifecycle = %s, want %s", got, want)
	}
	if got := info.Lifecycle.APIs.Platform.Supported.AsStrings(); !slices.Contains(got, "0.15") || !slices.Contains(got, "0.7") {
		t.Errorf("platform APIs = %v, want 0.7 to 0.15", got)
	}
	var order []bundled.Group
	for _, entry := range info.Order {
		var group bundled.Group
		for _, m := range entry.GroupDetectionOrder {
			group = append(group, bundled.Member{ID: m.ID, Optional: m.Optional})
		}
		order = append(order, group)
	}
	if !reflect.DeepEqual(order, bundled.Order) {
		t.Errorf("order = %+v, want %+v", order, bundled.Order)
	}
	if len(info.RunImages) == 0 || info.RunImages[0].Image != "slipway/run" {
		t.Errorf("run images = %+v, want slipway/run", info.RunImages)
	}
}

func TestBuilderWorks(t *testing.T) {
	dir := builderDir(t)
	img := images(t, dir)["builder"]
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	for _, env := range []string{"CNB_USER_ID=1000", "CNB_GROUP_ID=1000"} {
		if !slices.Contains(config.Config.Env, env) {
			t.Errorf("environment = %q, want %s in it", config.Config.Env, env)
		}
	}
	root := unpack(t, img)
	t.Run("directories", func(t *testing.T) { testDirectories(t, root) })
	t.Run("lifecycle", func(t *testing.T) { testLifecycle(t, root) })
	v, err := bundled.ReadVersions(dir)
	if err != nil {
		t.Fatal(err)
	}
	inside, err := os.ReadFile(filepath.Join(root, "opt/slipway/python/versions.json"))
	if err != nil {
		t.Fatal(err)
	}
	beside, err := os.ReadFile(filepath.Join(dir, "versions.json"))
	if err != nil {
		t.Fatal(err)
	}
	if string(inside) != string(beside) {
		t.Errorf("versions.json in the image = %s, beside it %s", inside, beside)
	}
	if len(v.Python) < 5 {
		t.Errorf("the builder has CPython %v, want 3.10 to 3.14", v.Python)
	}
	for _, version := range v.Python {
		t.Run("CPython "+version, func(t *testing.T) { testPython(t, root, version, v.Pip) })
	}
}

func testDirectories(t *testing.T, root string) {
	t.Helper()
	for path, want := range map[string]string{
		"/layers": "1000:1000", "/workspace": "1000:1000", "/platform": "0:0", "/cnb": "0:0", "/cnb/order.toml": "0:0",
		"/cnb/stack.toml": "0:0", "/cnb/run.toml": "0:0", "/cnb/lifecycle/lifecycle": "0:0", "/home/cnb": "1000:1000",
		"/cnb/buildpacks/slipway_python": "0:0",
	} {
		if got := strings.TrimSpace(mustRun(t, root, "0:0", "stat", "-c", "%u:%g", path)); got != want {
			t.Errorf("owner of %s = %s, want %s", path, got, want)
		}
	}
}

func testLifecycle(t *testing.T, root string) {
	t.Helper()
	for _, phase := range []string{"analyzer", "builder", "creator", "detector", "exporter", "extender", "rebaser", "restorer", "lifecycle"} {
		out := mustRun(t, root, "1000:1000", "/cnb/lifecycle/"+phase, "-version")
		if !strings.HasPrefix(out, "0.21.0") {
			t.Errorf("%s -version = %q, want 0.21.0", phase, out)
		}
	}
	out, err := inside(t, root, "1000:1000", "/cnb/lifecycle/launcher", "true")
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 100 || err != nil && !strings.Contains(out, "metadata.toml") && !strings.Contains(out, "launch") {
		t.Errorf("launcher: %v: %s", err, out)
	}
}

// extension is a C extension that says which CPython's headers it saw.
const extension = `#define PY_SSIZE_T_CLEAN
#include <Python.h>
#ifndef PY_VERSION
#error no version
#endif
static PyObject *version(PyObject *self, PyObject *args) { return PyUnicode_FromString(PY_VERSION); }
static PyMethodDef methods[] = {{"version", version, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "hello", NULL, -1, methods};
PyMODINIT_FUNC PyInit_hello(void) { return PyModule_Create(&module); }
`

// compile builds the extension as setuptools would: with what sysconfig says.
const compile = `
import shlex, subprocess, sysconfig, sys, ssl, sqlite3, ctypes, zlib, bz2, lzma, readline, platform
get = sysconfig.get_config_var
so = "hello" + get("EXT_SUFFIX")
subprocess.run(shlex.split(get("CC")) + shlex.split(get("CFLAGS")) + ["-Werror", "-I" + sysconfig.get_path("include"), "-c", "hello.c", "-o", "hello.o"], check=True)
subprocess.run(shlex.split(get("LDSHARED")) + ["hello.o", "-o", so], check=True)
sys.path.insert(0, ".")
import hello
assert hello.version() == platform.python_version(), hello.version()
assert ssl.create_default_context().cert_store_stats()["x509_ca"] > 50 or ssl.get_default_verify_paths().capath, "no certificates"
assert not any(b"-g" == f.encode() for f in shlex.split(get("CFLAGS"))), get("CFLAGS")
print(hello.version())
`

func testPython(t *testing.T, root, version, pip string) {
	t.Helper()
	python := "/opt/slipway/python/" + version + "/bin/python3"
	work := filepath.Join(root, "tmp", version)
	if err := os.Mkdir(work, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"hello.c": extension, "compile.py": compile} {
		if err := os.WriteFile(filepath.Join(work, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(work, 1000, 1000); err != nil {
		t.Fatal(err)
	}
	in := strings.TrimPrefix(work, root)
	out := mustRun(t, root, "1000:1000", "sh", "-c", "cd "+in+" && "+python+" compile.py")
	if got := strings.TrimSpace(out); got != version {
		t.Errorf("compiled extension says %q, want %s", got, version)
	}
	if out := mustRun(t, root, "1000:1000", python, "-m", "pip", "--version"); !strings.HasPrefix(out, "pip "+pip+" ") {
		t.Errorf("pip --version = %q, want %s", out, pip)
	}
	out = mustRun(t, root, "1000:1000", "sh", "-c", "cd "+in+" && "+python+" -m venv --without-pip venv && venv/bin/python -c 'import sys; print(sys.prefix != sys.base_prefix)'")
	if strings.TrimSpace(out) != "True" {
		t.Errorf("venv: %q", out)
	}
}
