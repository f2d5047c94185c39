package dynotest

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// userID is who processes of the fixtures run as.
const userID = 1000

// A fixture is an image that looks like one that buildpacks made. Its launcher
// and its entry points are shell scripts.
type fixture struct {
	user      string
	processes map[string]string // scripts by process type
}

func (f fixture) image(tb testing.TB) v1.Image {
	tb.Helper()
	text := f.layer(tb)
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil })
	if err != nil {
		tb.Fatalf("make layer: %v", err)
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		tb.Fatalf("make image: %v", err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		tb.Fatalf("make image: %v", err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", "amd64"
	config.Config.User = f.user
	config.Config.WorkingDir = "/workspace"
	config.Config.Entrypoint = []string{"/cnb/process/web"}
	config.Config.Env = []string{"PATH=/cnb/process:/bin", "FROM_IMAGE=yes", "OVERRIDDEN=by image"}
	if img, err = mutate.ConfigFile(img, config); err != nil {
		tb.Fatalf("make image: %v", err)
	}
	return img
}

// layer is a small system with a shell.
func (f fixture) layer(tb testing.TB) []byte {
	tb.Helper()
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	add := func(h tar.Header, text string) {
		h.Size = int64(len(text))
		if err := tw.WriteHeader(&h); err != nil {
			tb.Fatalf("write layer: %v", err)
		}
		if _, err := io.WriteString(tw, text); err != nil {
			tb.Fatalf("write layer: %v", err)
		}
	}
	for dir := range strings.FieldsSeq("bin etc proc sys dev tmp home cnb cnb/process cnb/lifecycle") {
		mode := int64(0o755)
		if dir == "tmp" {
			mode = 0o1777
		}
		add(tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: mode}, "")
	}
	for _, dir := range []string{"home/cnb", "workspace"} {
		add(tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755, Uid: userID, Gid: userID}, "")
	}
	file := func(name, text string) { add(tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755}, text) }
	file("etc/passwd", fmt.Sprintf("root:x:0:0::/root:/bin/sh\ncnb:x:%d:%d::/home/cnb:/bin/sh\n", userID, userID))
	file("etc/group", fmt.Sprintf("root:x:0:\ncnb:x:%d:\n", userID))
	file("bin/busybox", busybox(tb))
	for name := range strings.FieldsSeq("sh cat cut date dd echo env false find grep head hostname httpd id ip ls mkdir mount nc ps rm seq sleep sort stty tail test timeout touch tr true tty wc wget") {
		add(tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/" + name, Linkname: "busybox", Mode: 0o777}, "")
	}
	file("cnb/lifecycle/launcher", "#!/bin/sh\nexec sh -c \"$1\"\n")
	for name, script := range f.processes {
		file("cnb/process/"+name, "#!/bin/sh\n"+script+"\n")
	}
	if err := tw.Close(); err != nil {
		tb.Fatalf("write layer: %v", err)
	}
	return b.Bytes()
}

// busybox returns the machine's busybox, which must need no other file.
func busybox(tb testing.TB) string {
	tb.Helper()
	path, err := exec.LookPath("busybox")
	if err != nil {
		tb.Fatalf("find busybox: %v; install Debian's busybox-static", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatalf("read busybox: %v", err)
	}
	return string(text)
}
