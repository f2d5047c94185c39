package enginetest

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/internal/testkit"
)

var normalTime = time.Date(1980, time.January, 1, 0, 0, 1, 0, time.UTC)

// A tarball is a layer being written.
type tarball struct {
	b  bytes.Buffer
	tw *tar.Writer
	tb testing.TB
}

func newTarball(tb testing.TB) *tarball {
	tb.Helper()
	t := &tarball{tb: tb}
	t.tw = tar.NewWriter(&t.b)
	return t
}

func (t *tarball) header(h *tar.Header) {
	t.tb.Helper()
	h.ModTime = normalTime
	if err := t.tw.WriteHeader(h); err != nil {
		t.tb.Fatalf("write layer: %v", err)
	}
}

func (t *tarball) dir(name string, mode int64, owner int) {
	t.tb.Helper()
	t.header(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode, Uid: owner, Gid: owner})
}

func (t *tarball) file(name string, mode int64, data []byte) {
	t.tb.Helper()
	t.header(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(data))})
	if _, err := t.tw.Write(data); err != nil {
		t.tb.Fatalf("write layer: %v", err)
	}
}

func (t *tarball) link(name, target string) {
	t.tb.Helper()
	t.header(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777})
}

func (t *tarball) bytes() []byte {
	t.tb.Helper()
	if err := t.tw.Close(); err != nil {
		t.tb.Fatalf("write layer: %v", err)
	}
	return t.b.Bytes()
}

// busybox returns the machine's busybox, which must need no other file.
func busybox(tb testing.TB) []byte {
	tb.Helper()
	path, err := exec.LookPath("busybox")
	if err != nil {
		tb.Fatalf("find busybox: %v; install Debian's busybox-static", err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatalf("read busybox: %v", err)
	}
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		tb.Fatalf("read busybox: %v", err)
	}
	if libs, err := f.ImportedLibraries(); err != nil || len(libs) > 0 {
		tb.Fatalf("busybox needs %v (%v); install Debian's busybox-static", libs, err)
	}
	return data
}

// baseLayer is a small system with a shell and a user.
func baseLayer(tb testing.TB) []byte {
	tb.Helper()
	t := newTarball(tb)
	for _, dir := range []string{"bin", "etc", "proc", "sys", "dev", "home", "var", "usr"} {
		t.dir(dir, 0o755, 0)
	}
	t.dir("home/cnb", 0o755, userID)
	t.dir("tmp", 0o1777, 0)
	t.file("etc/passwd", 0o644, fmt.Appendf(nil, "root:x:0:0::/root:/bin/sh\ncnb:x:%d:%d::/home/cnb:/bin/sh\n", userID, userID))
	t.file("etc/group", 0o644, fmt.Appendf(nil, "root:x:0:\ncnb:x:%d:\n", userID))
	t.file("bin/busybox", 0o755, busybox(tb))
	for name := range strings.FieldsSeq("sh cat cp cut dd echo env false find grep head id ls mkdir nc nslookup od rm seq sleep sort tail test timeout touch tr true wc wget") {
		t.link("bin/"+name, "busybox")
	}
	return t.bytes()
}

// lifecycle compiles the lifecycle's two programs from their module.
func lifecycle(tb testing.TB) (lifecycle, launcher []byte) {
	tb.Helper()
	dir := tb.TempDir()
	const module = "github.com/buildpacks/lifecycle"
	cmd := exec.CommandContext(tb.Context(), "go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -X "+module+"/cmd.Version="+lifecycleVersion, "-o", dir+"/", module+"/cmd/lifecycle", module+"/cmd/launcher")
	cmd.Dir = filepath.Join(testkit.Root(tb), "buildpacks/bundled/lifecycle")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("compile the lifecycle: %v\n%s", err, out)
	}
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			tb.Fatalf("read %s: %v", name, err)
		}
		return data
	}
	return read("lifecycle"), read("launcher")
}
