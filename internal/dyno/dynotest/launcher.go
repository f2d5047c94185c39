package dynotest

import (
	"archive/tar"
	"bytes"
	"cmp"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"slipway/internal/testkit"
)

// launchMetadata says what the image's process types are (CNB platform
// specification, "metadata.toml").
const launchMetadata = `
[[buildpacks]]
id = "test/launch"
version = "1"
api = "0.10"

[[processes]]
type = "web"
command = ["bash", "-c"]
args = ["echo \"$PORT by bash ${BASH_VERSION%%.*}\"; exec sleep 1000"]
direct = true
buildpack-id = "test/launch"
`

// RunLauncher checks that commands and process types are started by the real
// launcher, in the bundled builder's run image.
func RunLauncher(t *testing.T, h Harness) {
	t.Helper()
	s := newSuite(t, h)
	s.slug = s.reg.push(t, "launched", launchable(t))
	spec := s.spec(`read -r line <<< "a  b"; echo "$line|$PORT" | tr a-z A-Z; cd /tmp && pwd; [[ $DYNO == run.* ]] && exit 9`)
	spec.Env = map[string]string{"PORT": "5000", "DYNO": "run.1"}
	p := s.start(t, spec)
	if exit := p.wait(); exit.Code != 9 || p.out.all() != "A  B|5000\n/tmp\n" {
		t.Errorf("a command ends with %+v: %q, %q", exit, p.out.now(), p.err.now())
	}
	for _, command := range []string{"-x", "--", "web", "no-such-command"} {
		if out, exit := s.run(t, command); exit.Code == 0 {
			t.Errorf("%q ends with %+v: %s", command, exit, out)
		}
	}
	spec = s.spec("")
	spec.Type = "web"
	spec.Env = map[string]string{"PORT": "5001"}
	p = s.start(t, spec)
	p.expect("5001 by bash 5\n")
	if err := p.Terminate(t.Context()); err != nil {
		t.Errorf("Terminate() = %v", err)
	}
	if exit := p.wait(); exit.Code != 143 {
		t.Errorf("a process ends with %+v, want 143", exit)
	}
	term := s.terminal(t, "bash", spec.Size)
	term.expect("$ ")
	_, _ = io.WriteString(term.stdin, "sh -c 'echo in $((6*7)); exec sleep 1000'; echo next $?\r")
	term.expect("in 42\r\n")
	_, _ = io.WriteString(term.stdin, "\x03")
	term.expect("^C\r\n")
	_, _ = io.WriteString(term.stdin, "exit 6\r")
	if exit := term.wait(); exit.Code != 6 {
		t.Errorf("a shell ends with %+v, want 6: %q", exit, term.out.now())
	}
	if out := term.out.all(); strings.Contains(out, "job control") || strings.Contains(out, "ioctl") {
		t.Errorf("the shell is not at home: %q", out)
	}
}

// launchable is the run image with what a build adds to start processes.
func launchable(tb testing.TB) v1.Image {
	tb.Helper()
	dir, err := layout.FromPath(testkit.Builder(tb))
	if err != nil {
		tb.Fatalf("open builder: %v", err)
	}
	index, err := dir.ImageIndex()
	if err != nil {
		tb.Fatalf("open builder: %v", err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		tb.Fatalf("open builder: %v", err)
	}
	found := make(map[string]v1.Image)
	for _, m := range manifest.Manifests {
		if found[m.Annotations["org.opencontainers.image.ref.name"]], err = index.Image(m.Digest); err != nil {
			tb.Fatalf("open builder: %v", err)
		}
	}
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	add := func(h tar.Header, text []byte) {
		h.Size = int64(len(text))
		if err := tw.WriteHeader(&h); err != nil {
			tb.Fatalf("write layer: %v", err)
		}
		if _, err := tw.Write(text); err != nil {
			tb.Fatalf("write layer: %v", err)
		}
	}
	add(tar.Header{Typeflag: tar.TypeReg, Name: "cnb/lifecycle/launcher", Mode: 0o755}, fileIn(tb, found["builder"], "cnb/lifecycle/launcher"))
	add(tar.Header{Typeflag: tar.TypeReg, Name: "layers/config/metadata.toml", Mode: 0o644}, []byte(launchMetadata))
	add(tar.Header{Typeflag: tar.TypeSymlink, Name: "cnb/process/web", Linkname: "/cnb/lifecycle/launcher", Mode: 0o777}, nil)
	add(tar.Header{Typeflag: tar.TypeDir, Name: "workspace/", Mode: 0o755}, nil)
	if err := tw.Close(); err != nil {
		tb.Fatalf("write layer: %v", err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		tb.Fatalf("make layer: %v", err)
	}
	img, err := mutate.AppendLayers(found["run"], layer)
	if err != nil {
		tb.Fatalf("make image: %v", err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		tb.Fatalf("make image: %v", err)
	}
	config = config.DeepCopy()
	config.Config.WorkingDir = "/workspace"
	config.Config.Env = append(config.Config.Env, "CNB_LAYERS_DIR=/layers", "CNB_APP_DIR=/workspace", "CNB_PLATFORM_API=0.13")
	if img, err = mutate.ConfigFile(img, config); err != nil {
		tb.Fatalf("make image: %v", err)
	}
	return img
}

// fileIn finds a file of an image.
func fileIn(tb testing.TB, img v1.Image, name string) []byte {
	tb.Helper()
	layers, err := img.Layers()
	if err != nil {
		tb.Fatalf("read image: %v", err)
	}
	// Small ones first: those with compilers and interpreters take seconds.
	slices.SortFunc(layers, func(a, b v1.Layer) int {
		sizeA, _ := a.Size() // of a file in the layout
		sizeB, _ := b.Size()
		return cmp.Compare(sizeA, sizeB)
	})
	for _, l := range layers {
		r, err := l.Uncompressed()
		if err != nil {
			tb.Fatalf("read layer: %v", err)
		}
		text, err := fileOf(r, name)
		_ = r.Close() // only read
		if err != nil {
			tb.Fatalf("read layer: %v", err)
		}
		if text != nil {
			return text
		}
	}
	tb.Fatalf("no %s in the image", name)
	return nil
}

func fileOf(r io.Reader, name string) ([]byte, error) {
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if strings.TrimPrefix(path.Clean(h.Name), "/") == name {
			return io.ReadAll(tr)
		}
	}
}
