package detector_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"go.uber.org/zap"

	"slipway/buildpacks/detector"
)

// tarOf packs the files below dir, under prefix.
func tarOf(t *testing.T, dir, prefix string) []byte {
	t.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		h := &tar.Header{Typeflag: tar.TypeReg, Name: prefix + rel, Mode: int64(info.Mode().Perm()), Size: int64(len(data))}
		if err := tw.WriteHeader(h); err != nil {
			return err
		}
		_, err = tw.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func writeFile(t *testing.T, file string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func gzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	if _, err := zw.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// image makes an image of one layer.
func image(t *testing.T, layer []byte, labels map[string]string, env ...string) v1.Image {
	t.Helper()
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer)), nil })
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(empty.Image, l)
	if err != nil {
		t.Fatal(err)
	}
	img, err = mutate.ConfigFile(img, &v1.ConfigFile{
		OS: "linux", Architecture: "amd64", Config: v1.Config{Labels: labels, Env: env}, RootFS: must(img.ConfigFile())(t).RootFS,
	})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// places puts an image where one can lie: a registry, a layout, its archive, and
// an archive of docker save.
func places(t *testing.T, img v1.Image) map[string]string {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(zap.NewStdLog(zap.NewNop()))))
	t.Cleanup(server.Close)
	dir, named := t.TempDir(), strings.TrimPrefix(server.URL, "http://")+"/acme/thing:1"
	ref := must(name.ParseReference(named))(t)
	if err := remote.Write(ref, img, remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	path := must(layout.Write(filepath.Join(dir, "layout"), empty.Index))(t)
	if err := path.AppendImage(img); err != nil {
		t.Fatal(err)
	}
	if err := tarball.WriteToFile(filepath.Join(dir, "docker.tar"), must(name.NewTag("acme/thing:1"))(t), img); err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"registry": named, "layout": filepath.Join(dir, "layout"), "docker save": filepath.Join(dir, "docker.tar"),
		"OCI archive": writeFile(t, filepath.Join(dir, "thing.cnb"), tarOf(t, filepath.Join(dir, "layout"), "")),
	}
}

func TestBuildpacksComeFromAnywhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bps := pack(t, dir, "acme/node", "[ -f package.json ] && echo here")
	plain := tarOf(t, bps[0], "")
	sources := places(t, image(t, tarOf(t, bps[0], "cnb/buildpacks/acme_node/1.0/"), map[string]string{
		"io.buildpacks.buildpackage.metadata": `{"id": "acme/node", "version": "1.0"}`,
	}))
	sources["directory"] = bps[0]
	sources["tar"] = writeFile(t, filepath.Join(dir, "node.tar"), plain)
	sources["tgz"] = writeFile(t, filepath.Join(dir, "node.tgz"), gzipped(t, plain))
	app := write(t, t.TempDir(), map[string]string{"package.json": "{}"})
	cache := t.TempDir()
	for kind, source := range sources {
		b := open(t, detector.Source{Buildpacks: []string{source}, Cache: cache})
		r := detect(t, b, app, detector.Options{Jobs: 1})
		if !r.Passed() || string(r.Groups[0].Results[0].Output) != "here\n" {
			t.Errorf("from a %s: %+v", kind, r.Groups)
		}
	}
	if kept := must(os.ReadDir(filepath.Join(cache, "detect/images")))(t); len(kept) != 1 {
		t.Errorf("the cache has %d images, want one, of one digest", len(kept))
	}
}

func TestBuilderImageRunsItsScriptsInItself(t *testing.T) {
	t.Parallel()
	root := write(t, t.TempDir(), map[string]string{
		"cnb/order.toml": orderOf("libcnb"),
		"cnb/buildpacks/samples_libcnb/1.0/buildpack.toml": "api = \"0.8\"\n[buildpack]\nid = \"samples/libcnb\"\nversion = \"1.0\"\n[[targets]]\nos = \"linux\"\n[[targets.distros]]\nname = \"acmeos\"\nversion = \"7\"\n",
		"etc/os-release": "ID=acmeos\nVERSION_ID=\"7\"\n", "etc/marker": "in the image\n",
	})
	write(t, root, map[string]string{"cnb/buildpacks/samples_libcnb/1.0/bin/build": ""})
	buildLibcnb(t, filepath.Join(root, "cnb/buildpacks/samples_libcnb/1.0/bin/detect"))
	labels := map[string]string{"io.buildpacks.builder.metadata": "{}"}
	app := write(t, t.TempDir(), map[string]string{"manage.py": ""})
	cache := t.TempDir()
	for kind, source := range places(t, image(t, tarOf(t, root, ""), labels, "CNB_USER_ID=1234", "PATH=/bin")) {
		b := open(t, detector.Source{Builder: source, Cache: cache})
		r := detect(t, b, app, detector.Options{Jobs: 1})
		if r.Sandbox.How == "none" {
			t.Skipf("this machine has no sandbox: %v", r.Sandbox.Missing)
		}
		res := r.Groups[0].Results[0]
		if !r.Passed() || string(res.Output) != "in the image\n" || len(res.Plans) != 2 || !slices.Equal(res.Plans[0].Provides, []string{"django"}) {
			t.Errorf("from a %s: %+v: %s", kind, r.Groups, res.Output)
		}
	}
	app = t.TempDir()
	for source, want := range map[string]string{
		places(t, image(t, tarOf(t, app, ""), nil))["layout"]:                                                            "the image is no builder",
		places(t, image(t, tarOf(t, app, ""), map[string]string{"io.buildpacks.buildpackage.metadata": "{}"}))["layout"]: "it is a buildpack",
		places(t, image(t, tarOf(t, app, ""), labels))["layout"]:                                                         "read /cnb/order.toml: no such file",
	} {
		if _, err := detector.Open(t.Context(), detector.Source{Builder: source, Cache: cache}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open = %v, want an error with %q", err, want)
		}
	}
}

func TestArchivesStayInTheirDirectory(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	for kind, headers := range map[string][]tar.Header{
		"a name that leads out":  {{Name: "../../out", Typeflag: tar.TypeReg, Mode: 0o644}},
		"an absolute name":       {{Name: outside + "/out", Typeflag: tar.TypeReg, Mode: 0o644}},
		"a link that leads out":  {{Name: "way", Typeflag: tar.TypeSymlink, Linkname: outside}, {Name: "way/out", Typeflag: tar.TypeReg, Mode: 0o644}},
		"a hard link to outside": {{Name: "out", Typeflag: tar.TypeLink, Linkname: "../../../../etc/passwd"}},
	} {
		var buf bytes.Buffer
		tw := tar.NewWriter(&buf)
		toml := []byte("api = \"0.10\"\n[buildpack]\nid = \"a/b\"\nversion = \"1\"\n")
		headers = append(headers, tar.Header{Name: "buildpack.toml", Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(toml))})
		for _, h := range headers {
			if err := tw.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := tw.Write(toml); err != nil {
			t.Fatal(err)
		}
		if err := tw.Close(); err != nil {
			t.Fatal(err)
		}
		b, err := detector.Open(t.Context(), detector.Source{Buildpacks: []string{writeFile(t, filepath.Join(t.TempDir(), "bp.tar"), buf.Bytes())}})
		if err == nil {
			b.Close()
		}
		if left := must(os.ReadDir(outside))(t); len(left) > 0 {
			t.Errorf("%s: wrote %v (%v)", kind, left, err)
		}
	}
}

func TestGivenBuildpacksTakeTheBuildersPlace(t *testing.T) {
	t.Parallel()
	builder := builderTOML(t, orderOf("node", "java"), "samples/node", "exit 0", "samples/java", "exit 0")
	own := pack(t, t.TempDir(), "samples/extra", "exit 0", "samples/node", "echo mine")
	for _, c := range []struct {
		buildpacks []string
		want       []string
	}{
		{[]string{own[0]}, []string{"samples/extra@1.0"}},
		{[]string{own[0], "samples/java"}, []string{"samples/extra@1.0", "samples/java@1.0"}},
		{[]string{own[0], "urn:cnb:builder:samples/java@1.0"}, []string{"samples/extra@1.0", "samples/java@1.0"}},
		{[]string{own[0], "from=builder"}, []string{"samples/extra@1.0", "samples/node@1.0"}},
		{[]string{own[1], "samples/java"}, []string{"samples/node@1.0", "samples/java@1.0"}},
	} {
		r := detect(t, open(t, detector.Source{Builder: builder, Buildpacks: c.buildpacks}), t.TempDir(), detector.Options{Jobs: 1, NoSandbox: true})
		if !r.Passed() || !slices.Equal(r.Groups[r.Chosen].Chosen, c.want) {
			t.Errorf("group of %q = %+v, want %q", c.buildpacks, r.Groups, c.want)
		}
	}
}
