package enginetest

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	ggtarball "github.com/google/go-containerregistry/pkg/v1/tarball"
)

const (
	lifecycleVersion = "0.21.0"
	userID           = 1002
	stackID          = "slipway.test"
	runName          = "slipway/run"      // as the builder's metadata names it
	runRef           = "slipway/run:test" // in the registry
	apis             = `{"buildpack":{"deprecated":[],"supported":["0.7","0.8","0.9","0.10","0.11","0.12"]},"platform":{"deprecated":[],"supported":["0.7","0.8","0.9","0.10","0.11","0.12","0.13","0.14"]}}`
)

// The one buildpack runs build.sh of the app, in the app's directory, with the
// layers and platform directories as arguments. An app without one is not
// recognised; a detect.sh decides instead if there is one.
const (
	buildpackTOML = `api = "0.10"
[buildpack]
id = "test/shell"
version = "1.0.0"
[[targets]]
os = "linux"
[[stacks]]
id = "*"
`
	detectScript = `#!/bin/sh
if test -f detect.sh; then . ./detect.sh; exit; fi
test -f build.sh || exit 100
`
	buildScript = `#!/bin/sh
exec /bin/sh ./build.sh "$1" "$2"
`
)

// A testBuilder is the suite's builder.
type testBuilder struct {
	dir       string // laid out as the bundled builder is
	builder   v1.Image
	run       v1.Image
	lifecycle v1.Image // as buildpacksio/lifecycle
	layers    [][]byte
}

// withRun makes a builder that names another run image.
func (b *testBuilder) withRun(tb testing.TB, run string) v1.Image {
	tb.Helper()
	return image(tb, builderLabels(tb, run), []string{"CNB_USER_ID=1002", "CNB_GROUP_ID=1002", "CNB_STACK_ID=" + stackID}, b.layers...)
}

func makeBuilder(tb testing.TB, dir string) *testBuilder {
	tb.Helper()
	base := baseLayer(tb)
	life := lifecycleLayer(tb)
	b := &testBuilder{dir: dir, layers: [][]byte{base, life, buildpackLayer(tb)}}
	b.run = image(tb, map[string]string{"io.buildpacks.stack.id": stackID}, nil, base)
	b.lifecycle = image(tb, map[string]string{
		"io.buildpacks.lifecycle.version": lifecycleVersion, "io.buildpacks.lifecycle.apis": apis,
	}, nil, rootLayer(tb), life)
	b.builder = b.withRun(tb, runName)
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		tb.Fatalf("write layout: %v", err)
	}
	for name, img := range map[string]v1.Image{"builder": b.builder, "run": b.run} {
		err := path.AppendImage(img, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": name}))
		if err != nil {
			tb.Fatalf("write %s image: %v", name, err)
		}
	}
	for name, text := range map[string]string{"id": "test\n", "versions.json": `{"versions":["3.14.6","3.13.9"]}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			tb.Fatalf("write %s: %v", name, err)
		}
	}
	return b
}

func lifecycleLayer(tb testing.TB) []byte {
	tb.Helper()
	program, launcher := lifecycle(tb)
	t := newTarball(tb)
	t.dir("cnb", 0o755, 0)
	t.dir("cnb/lifecycle", 0o755, 0)
	t.file("cnb/lifecycle/lifecycle", 0o755, program)
	t.file("cnb/lifecycle/launcher", 0o755, launcher)
	for _, name := range []string{"analyzer", "builder", "creator", "detector", "exporter", "extender", "rebaser", "restorer"} {
		t.link("cnb/lifecycle/"+name, "lifecycle")
	}
	return t.bytes()
}

// rootLayer has no more than the name of root and a place for temporary files,
// as the lifecycle's own image.
func rootLayer(tb testing.TB) []byte {
	tb.Helper()
	t := newTarball(tb)
	t.dir("tmp", 0o1777, 0)
	t.dir("etc", 0o755, 0)
	t.file("etc/passwd", 0o644, []byte("root:x:0:0::/:/none\n"))
	return t.bytes()
}

func buildpackLayer(tb testing.TB) []byte {
	tb.Helper()
	t := newTarball(tb)
	t.dir("layers", 0o755, userID)
	t.dir("workspace", 0o755, userID)
	t.dir("platform", 0o755, 0)
	t.dir("platform/env", 0o755, 0)
	bp := "cnb/buildpacks/test_shell/1.0.0"
	for _, dir := range []string{"cnb/buildpacks", "cnb/buildpacks/test_shell", bp, bp + "/bin"} {
		t.dir(dir, 0o755, 0)
	}
	t.file(bp+"/buildpack.toml", 0o644, []byte(buildpackTOML))
	t.file(bp+"/bin/detect", 0o755, []byte(detectScript))
	t.file(bp+"/bin/build", 0o755, []byte(buildScript))
	t.file("cnb/order.toml", 0o644, []byte("[[order]]\n[[order.group]]\nid = \"test/shell\"\nversion = \"1.0.0\"\n"))
	t.file("cnb/run.toml", 0o644, []byte("[[images]]\nimage = \""+runName+"\"\n"))
	t.file("cnb/stack.toml", 0o644, []byte("[run-image]\nimage = \""+runName+"\"\n"))
	return t.bytes()
}

func builderLabels(tb testing.TB, run string) map[string]string {
	tb.Helper()
	type object = map[string]any
	label := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			tb.Fatalf("encode label: %v", err)
		}
		return string(data)
	}
	bp := object{"id": "test/shell", "version": "1.0.0"}
	return map[string]string{
		"io.buildpacks.stack.id":          stackID,
		"io.buildpacks.lifecycle.apis":    apis,
		"io.buildpacks.lifecycle.version": lifecycleVersion,
		"io.buildpacks.builder.metadata": label(object{
			"buildpacks": []object{bp},
			"stack":      object{"runImage": object{"image": run}},
			"images":     []object{{"image": run}},
			"lifecycle": object{
				"version": lifecycleVersion,
				"api":     object{"buildpack": "0.7", "platform": "0.7"},
				"apis":    json.RawMessage(apis),
			},
			"createdBy": object{"name": "slipway test"},
		}),
		"io.buildpacks.buildpack.order": label([]object{{"group": []object{bp}}}),
		"io.buildpacks.buildpack.layers": label(object{"test/shell": object{"1.0.0": object{
			"api": "0.10", "stacks": []object{{"id": "*"}}, "targets": []object{{"os": "linux"}},
		}}}),
	}
}

// image makes an image of layers, run by the user of builds.
func image(tb testing.TB, labels map[string]string, env []string, layers ...[]byte) v1.Image {
	tb.Helper()
	img := empty.Image
	for _, data := range layers {
		l, err := ggtarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil })
		if err != nil {
			tb.Fatalf("make layer: %v", err)
		}
		if img, err = mutate.AppendLayers(img, l); err != nil {
			tb.Fatalf("make image: %v", err)
		}
	}
	cfg, err := img.ConfigFile()
	if err != nil {
		tb.Fatalf("make image: %v", err)
	}
	cfg = cfg.DeepCopy()
	cfg.OS, cfg.Architecture = "linux", "amd64"
	cfg.Config.Labels, cfg.Config.User = labels, "1002:1002"
	cfg.Config.Env = append([]string{"PATH=/usr/bin:/bin"}, env...)
	if img, err = mutate.ConfigFile(img, cfg); err != nil {
		tb.Fatalf("make image: %v", err)
	}
	return img
}

// files returns the files of an image's own layers, by name.
func files(tb testing.TB, img v1.Image) map[string]string {
	tb.Helper()
	all := make(map[string]string)
	tr := tar.NewReader(mutate.Extract(img))
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			tb.Fatalf("read image: %v", err)
		}
		if h.Typeflag != tar.TypeReg || h.Size > 1<<20 {
			continue
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			tb.Fatalf("read image: %v", err)
		}
		all[strings.TrimPrefix(h.Name, "/")] = string(data)
	}
}
