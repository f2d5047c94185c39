package enginetest

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// A shellBuildpack is a buildpack of two scripts, in a builder or a package.
type shellBuildpack struct{ id, detect, build string }

func (bp shellBuildpack) dir() string {
	return "cnb/buildpacks/" + strings.ReplaceAll(bp.id, "/", "_") + "/1.0.0"
}

// layer is the buildpack alone, as builders and packages have it.
func (bp shellBuildpack) layer(tb testing.TB) []byte {
	tb.Helper()
	t := newTarball(tb)
	bp.write(t)
	return t.bytes()
}

func (bp shellBuildpack) write(t *tarball) {
	for _, dir := range []string{"cnb/buildpacks", strings.TrimSuffix(bp.dir(), "/1.0.0"), bp.dir(), bp.dir() + "/bin"} {
		t.dir(dir, 0o755, 0)
	}
	t.file(bp.dir()+"/buildpack.toml", 0o644, []byte(bp.toml()))
	t.file(bp.dir()+"/bin/detect", 0o755, []byte("#!/bin/sh\n"+bp.detect))
	t.file(bp.dir()+"/bin/build", 0o755, []byte("#!/bin/sh\n"+bp.build))
}

func (bp shellBuildpack) toml() string { return strings.ReplaceAll(buildpackTOML, "test/shell", bp.id) }

// builderOf makes a builder with one buildpack, run images and lifecycle being
// those of the suite's.
func (b *testBuilder) builderOf(tb testing.TB, run string, bp shellBuildpack) v1.Image {
	tb.Helper()
	t := newTarball(tb)
	bp.write(t)
	t.file("cnb/order.toml", 0o644, []byte("[[order]]\n[[order.group]]\nid = \""+bp.id+"\"\nversion = \"1.0.0\"\n"))
	labels := builderLabels(tb, run)
	for name, label := range labels {
		labels[name] = strings.ReplaceAll(label, "test/shell", bp.id)
	}
	return image(tb, labels, []string{"CNB_USER_ID=1002", "CNB_GROUP_ID=1002", "CNB_STACK_ID=" + stackID}, append(slices.Clip(b.layers), t.bytes())...)
}

// packaged makes an image of a buildpack (buildpack distribution specification,
// "Buildpackage").
func packaged(tb testing.TB, bp shellBuildpack) v1.Image {
	tb.Helper()
	img := image(tb, nil, nil, bp.layer(tb))
	layers, err := img.Layers()
	if err != nil {
		tb.Fatalf("package buildpack: %v", err)
	}
	id, err := layers[0].DiffID()
	if err != nil {
		tb.Fatalf("package buildpack: %v", err)
	}
	label := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			tb.Fatalf("package buildpack: %v", err)
		}
		return string(data)
	}
	type object = map[string]any
	any1 := []object{{"id": "*"}}
	return image(tb, map[string]string{
		"io.buildpacks.buildpackage.metadata": label(object{"id": bp.id, "version": "1.0.0", "stacks": any1}),
		"io.buildpacks.buildpack.layers": label(object{bp.id: object{"1.0.0": object{
			"api": "0.10", "stacks": any1, "targets": []object{{"os": "linux"}}, "layerDiffID": id.String(),
		}}}),
	}, nil, bp.layer(tb))
}
