package embedded_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"slipway/buildpacks/embedded"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("EMBEDDED_TEST_CRASH"); dir != "" {
		crash(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

func needRoot(tb testing.TB) {
	tb.Helper()
	if os.Geteuid() != 0 {
		tb.Skip("the embedded engine needs root")
	}
}

func openIn(tb testing.TB, dir, snapshotter string) *embedded.Engine {
	tb.Helper()
	e, err := embedded.Open(tb.Context(), embedded.Config{Dir: dir, Snapshotter: snapshotter, Log: zaptest.NewLogger(tb, zaptest.Level(zap.WarnLevel))})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
	})
	return e
}

func open(tb testing.TB) *embedded.Engine {
	tb.Helper()
	needRoot(tb)
	return openIn(tb, tb.TempDir(), "")
}

// A file of a test's layer: a directory if the name ends with a slash, a link
// if it has a target.
type file struct {
	name, text, link string
	mode             int64
	uid, gid         int
}

func layerOf(tb testing.TB, files ...file) v1.Layer {
	tb.Helper()
	text := tarOf(tb, files...)
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil })
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func tarOf(tb testing.TB, files ...file) []byte {
	tb.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for _, f := range files {
		hdr := &tar.Header{Name: f.name, Mode: f.mode, Uid: f.uid, Gid: f.gid, Size: int64(len(f.text)), ModTime: time.Unix(1000, 0)}
		switch {
		case f.link != "":
			hdr.Typeflag, hdr.Linkname = tar.TypeSymlink, f.link
		case strings.HasSuffix(f.name, "/"):
			hdr.Typeflag = tar.TypeDir
		}
		if hdr.Mode == 0 {
			hdr.Mode = 0o755
		}
		if err := tw.WriteHeader(hdr); err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(tw, f.text); err != nil {
			tb.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		tb.Fatal(err)
	}
	return buf.Bytes()
}

// box is an image of two layers with a shell in it.
func box(tb testing.TB) v1.Image {
	tb.Helper()
	path, err := exec.LookPath("busybox")
	if err != nil {
		tb.Fatal("no busybox: apt-get install busybox-static")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	files := []file{
		{name: "bin/"},
		{name: "bin/busybox", text: string(text)},
		{name: "etc/"},
		{name: "etc/passwd", text: "root:x:0:0::/root:/bin/sh\ncnb:x:1000:1001::/home/cnb:/bin/sh\n", mode: 0o644},
		{name: "etc/group", text: "root:x:0:\ncnb:x:1001:\n", mode: 0o644},
		{name: "etc/resolv.conf", link: "../run/none"},
		{name: "tmp/", mode: 0o1777},
		{name: "gone", text: "x"},
	}
	for _, cmd := range []string{"sh", "cat", "ls", "id", "sleep", "env", "stat", "nslookup", "wget", "true", "mount", "ip", "setsid", "seq", "touch"} {
		files = append(files, file{name: "bin/" + cmd, link: "busybox"})
	}
	top := []file{
		{name: "workspace/", uid: 1000, gid: 1001, mode: 0o750},
		{name: "workspace/seed", text: "seed", uid: 1000, gid: 1001, mode: 0o644},
		{name: "layers/", uid: 1000, gid: 1001},
		{name: ".wh.gone"},
	}
	img, err := mutate.AppendLayers(empty.Image, layerOf(tb, files...), layerOf(tb, top...))
	if err != nil {
		tb.Fatal(err)
	}
	img, err = mutate.ConfigFile(img, configure(tb, img))
	if err != nil {
		tb.Fatal(err)
	}
	return img
}

func configure(tb testing.TB, img v1.Image) *v1.ConfigFile {
	tb.Helper()
	cf, err := img.ConfigFile()
	if err != nil {
		tb.Fatal(err)
	}
	cf = cf.DeepCopy()
	cf.OS, cf.Architecture = "linux", "amd64"
	cf.Created = v1.Time{Time: time.Unix(315532801, 0)}
	cf.Config = v1.Config{
		Env: []string{"FROM_IMAGE=1", "BOTH=image"}, User: "cnb", WorkingDir: "/workspace",
		Entrypoint: []string{"/bin/env"}, Labels: map[string]string{"a": "b"},
	}
	return cf
}

// archiveOf is what docker save would give.
func archiveOf(tb testing.TB, tag string, img v1.Image) io.Reader {
	tb.Helper()
	ref, err := name.NewTag(tag)
	if err != nil {
		tb.Fatal(err)
	}
	var buf bytes.Buffer
	if err := tarball.Write(ref, img, &buf); err != nil {
		tb.Fatal(err)
	}
	return &buf
}

func load(tb testing.TB, e *embedded.Engine, r io.Reader) {
	tb.Helper()
	res, err := e.ImageLoad(tb.Context(), r)
	if err != nil {
		tb.Fatal(err)
	}
	if err := res.Close(); err != nil {
		tb.Fatal(err)
	}
}

func withBox(tb testing.TB) *embedded.Engine {
	tb.Helper()
	e := open(tb)
	load(tb, e, archiveOf(tb, "test/box:1", box(tb)))
	return e
}

func shell(script string) *container.Config {
	return &container.Config{Image: "test/box:1", Entrypoint: []string{""}, Cmd: []string{"/bin/sh", "-c", script}}
}

func create(tb testing.TB, e *embedded.Engine, c *container.Config, h *container.HostConfig) string {
	tb.Helper()
	if h == nil {
		h = &container.HostConfig{NetworkMode: "none"}
	}
	res, err := e.ContainerCreate(tb.Context(), client.ContainerCreateOptions{Config: c, HostConfig: h})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_, err := e.ContainerRemove(context.WithoutCancel(tb.Context()), res.ID, client.ContainerRemoveOptions{Force: true})
		if err != nil && !cerrdefs.IsNotFound(err) {
			tb.Error(err)
		}
	})
	return res.ID
}

// run does what pack's RunWithHandler does.
func run(tb testing.TB, e *embedded.Engine, id string) (stdout, stderr string, code int64) {
	tb.Helper()
	var out, errOut bytes.Buffer
	code, err := runInto(tb.Context(), e, id, &out, &errOut)
	if err != nil {
		tb.Fatal(err)
	}
	return out.String(), errOut.String(), code
}

func runInto(ctx context.Context, e *embedded.Engine, id string, out, errOut io.Writer) (int64, error) {
	wait := e.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionNextExit})
	att, err := e.ContainerAttach(ctx, id, client.ContainerAttachOptions{Stream: true, Stdout: true, Stderr: true})
	if err != nil {
		return 0, err
	}
	defer att.Close()
	if _, err := e.ContainerStart(ctx, id, client.ContainerStartOptions{}); err != nil {
		return 0, err
	}
	copied := make(chan error, 1)
	go func() {
		_, err := stdcopy.StdCopy(out, errOut, att.Reader)
		copied <- err
	}()
	select {
	case body := <-wait.Result:
		return body.StatusCode, <-copied
	case err := <-wait.Error:
		att.Close()
		<-copied
		return 0, err
	}
}

func TestRun(t *testing.T) {
	e := withBox(t)
	c := shell(`echo out; echo err >&2; env; id; pwd; ls -a /; cat /etc/resolv.conf; exit 3`)
	c.Env = []string{"BOTH=container", "MINE=2"}
	stdout, stderr, code := run(t, e, create(t, e, c, nil))
	if code != 3 || stderr != "err\n" {
		t.Errorf("code = %d, stderr = %q", code, stderr)
	}
	for _, want := range []string{"out\n", "FROM_IMAGE=1\n", "BOTH=container\n", "MINE=2\n", "uid=1000(cnb) gid=1001(cnb)", "\n/workspace\n", "PATH=/usr/local/sbin"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("stdout lacks %q:\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout, "gone") {
		t.Error("a whiteout was not applied")
	}
}

func TestCapabilities(t *testing.T) {
	e := withBox(t)
	for drop, want := range map[string]string{
		"":                  "00000000a80425fb",
		"NET_RAW,CAP_MKNOD": "00000000a00405fb",
		"all":               "0000000000000000",
	} {
		c := shell(`while read k v; do case $k in CapBnd:|CapEff:) echo $v;; esac; done < /proc/self/status`)
		c.User = "root"
		h := &container.HostConfig{NetworkMode: "none"}
		if drop != "" {
			h.CapDrop = strings.Split(drop, ",")
		}
		if out, errOut, _ := run(t, e, create(t, e, c, h)); out != want+"\n"+want+"\n" {
			t.Errorf("without %q: capabilities are %q, want %s; %s", drop, out, want, errOut)
		}
	}
}

func TestEntrypoint(t *testing.T) {
	e := withBox(t)
	stdout, _, _ := run(t, e, create(t, e, &container.Config{Image: "test/box:1", User: "root", Cmd: []string{"/bin/sh", "-c", "id -u"}}, nil))
	if stdout != "0\n" {
		t.Errorf("stdout = %q, want root's ID by way of the image's entrypoint", stdout)
	}
}

// The last lines of a failed build must be seen: pack stops to read when it
// hears of the exit code.
func TestOutputBeforeExit(t *testing.T) {
	e := withBox(t)
	for range 5 {
		id := create(t, e, shell(`seq 1 20000; echo last >&2; exit 9`), nil)
		wait := e.ContainerWait(t.Context(), id, client.ContainerWaitOptions{Condition: container.WaitConditionNextExit})
		att, err := e.ContainerAttach(t.Context(), id, client.ContainerAttachOptions{Stream: true, Stdout: true, Stderr: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.ContainerStart(t.Context(), id, client.ContainerStartOptions{}); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var out bytes.Buffer
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = stdcopy.StdCopy(lockedWriter{&mu, &out}, lockedWriter{&mu, &out}, att.Reader)
		}()
		body := <-wait.Result
		mu.Lock()
		text := out.String()
		mu.Unlock()
		if body.StatusCode != 9 || !strings.Contains(text, "\n20000\n") || !strings.Contains(text, "last\n") {
			t.Errorf("code %d was told after %d bytes of output, the end is missing", body.StatusCode, len(text))
		}
		att.Close()
		<-done
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func TestCopyAndVolumes(t *testing.T) {
	e := withBox(t)
	h := &container.HostConfig{NetworkMode: "none", Binds: []string{"pack-app-x:/workspace", "pack-layers-x:/layers", "cache.build:/cache"}}
	id := create(t, e, shell(`cat /workspace/a/main.py /layers/project.toml; stat -c %u:%g:%a /workspace /workspace/a/main.py /layers /cache; cat /workspace/seed; echo done > /layers/report.toml; cat /platform/env/KEY`), h)
	text := tarOf(t,
		file{name: "/workspace/", uid: 1000, gid: 1001}, file{name: "/workspace/a/", uid: 1000, gid: 1001},
		file{name: "/workspace/a/main.py", text: "print()\n", mode: 0o640, uid: 1000, gid: 1001},
		file{name: "/layers/project.toml", text: "[project]\n", mode: 0o644},
		file{name: "/platform/env/KEY", text: "value", mode: 0o644},
	)
	if _, err := e.CopyToContainer(t.Context(), id, client.CopyToContainerOptions{DestinationPath: "/", Content: bytes.NewReader(text)}); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := run(t, e, id)
	if want := "print()\n[project]\n1000:1001:755\n1000:1001:640\n1000:1001:755\n0:0:755\nseedvalue"; stdout != want || code != 0 {
		t.Errorf("stdout = %q, want %q; code %d, %s", stdout, want, code, stderr)
	}
	res, err := e.CopyFromContainer(t.Context(), id, client.CopyFromContainerOptions{SourcePath: "/layers/report.toml"})
	if err != nil {
		t.Fatal(err)
	}
	tr := tar.NewReader(res.Content)
	hdr, err := tr.Next()
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(tr); hdr.Name != "report.toml" || string(got) != "done\n" {
		t.Errorf("copied %q = %q", hdr.Name, got)
	}
	res.Content.Close()
	res, err = e.CopyFromContainer(t.Context(), id, client.CopyFromContainerOptions{SourcePath: "/workspace"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for tr := tar.NewReader(res.Content); ; {
		hdr, err := tr.Next()
		if err != nil {
			break
		}
		names = append(names, hdr.Name)
	}
	res.Content.Close()
	if got := strings.Join(names, " "); got != "workspace/ workspace/a/ workspace/a/main.py workspace/seed" {
		t.Errorf("copied %s", got)
	}
	if _, err := e.CopyFromContainer(t.Context(), id, client.CopyFromContainerOptions{SourcePath: "/none"}); !cerrdefs.IsNotFound(err) {
		t.Errorf("a missing file gives %v, want not found", err)
	}
	if _, err := e.VolumeRemove(t.Context(), "pack-app-x", client.VolumeRemoveOptions{Force: true}); !cerrdefs.IsConflict(err) {
		t.Errorf("removing a volume in use gives %v, want conflict", err)
	}
	if _, err := e.ContainerRemove(t.Context(), id, client.ContainerRemoveOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.VolumeRemove(t.Context(), "pack-app-x", client.VolumeRemoveOptions{Force: true}); err != nil {
		t.Error(err)
	}
	if _, err := e.VolumeRemove(t.Context(), "pack-app-x", client.VolumeRemoveOptions{}); !cerrdefs.IsNotFound(err) {
		t.Errorf("removing a missing volume gives %v, want not found", err)
	}
	// A volume keeps what was in it, and who owns it.
	stdout, _, _ = run(t, e, create(t, e, shell(`cat /layers/report.toml`), h))
	if stdout != "done\n" {
		t.Errorf("kept volumes have %q", stdout)
	}
}

func TestCopyAttacks(t *testing.T) {
	e := withBox(t)
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.Mkdir(outside, 0o755); err != nil {
		t.Fatal(err)
	}
	h := &container.HostConfig{NetworkMode: "none", Binds: []string{"attack:/layers"}}
	id := create(t, e, shell("true"), h)
	for name, files := range map[string][]file{
		"dots":          {{name: "../../../../.." + outside + "/dots", text: "x"}},
		"absolute link": {{name: "/layers/l1", link: outside}, {name: "/layers/l1/abs", text: "x"}},
		"relative link": {{name: "/layers/l2", link: "../../../../../../../../../.." + outside}, {name: "/layers/l2/rel", text: "x"}},
		"link to file":  {{name: "/layers/l3", link: outside + "/target"}, {name: "/layers/l3", text: "x"}},
	} {
		_, err := e.CopyToContainer(t.Context(), id, client.CopyToContainerOptions{DestinationPath: "/", Content: bytes.NewReader(tarOf(t, files...))})
		if entries, rerr := os.ReadDir(outside); rerr != nil || len(entries) > 0 {
			t.Fatalf("%s: wrote %v outside, copy gave %v", name, entries, err)
		}
	}
	// The same from the other side: a link to a file of the host.
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := e.CopyFromContainer(t.Context(), id, client.CopyFromContainerOptions{SourcePath: "/layers/l1/secret"}); !cerrdefs.IsNotFound(err) {
		t.Errorf("a file of the host gives %v, want not found", err)
	}
}

func TestImages(t *testing.T) {
	e := withBox(t)
	in, err := e.ImageInspect(t.Context(), "index.docker.io/test/box:1")
	if err != nil {
		t.Fatal(err)
	}
	img := box(t)
	id, err := img.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	if in.ID != id.String() || in.Os != "linux" || in.Config.User != "cnb" || in.Config.Labels["a"] != "b" || len(in.RootFS.Layers) != 2 || in.Created != "1980-01-01T00:00:01Z" || strings.Join(in.RepoTags, ",") != "test/box:1" {
		t.Errorf("inspect = %+v", in)
	}
	hist, err := e.ImageHistory(t.Context(), in.ID)
	if err != nil || len(hist.Items) != 2 {
		t.Errorf("history = %+v, %v", hist, err)
	}
	if _, err := e.ImageInspect(t.Context(), "test/none"); !cerrdefs.IsNotFound(err) {
		t.Errorf("a missing image gives %v, want not found", err)
	}
	if _, err := e.ImageTag(t.Context(), client.ImageTagOptions{Source: in.ID, Target: "test/other"}); err != nil {
		t.Error(err)
	}
	if _, err := e.ImageRemove(t.Context(), "test/box:1", client.ImageRemoveOptions{Force: true}); err != nil {
		t.Error(err)
	}
	if _, err := e.ImageInspect(t.Context(), "test/box:1"); !cerrdefs.IsNotFound(err) {
		t.Errorf("a removed name gives %v, want not found", err)
	}
	if _, err := e.ImageInspect(t.Context(), "test/other:latest"); err != nil {
		t.Error(err)
	}
	c := shell("true")
	c.Image = strings.TrimPrefix(in.ID, "sha256:")[:12]
	if _, _, code := run(t, e, create(t, e, c, nil)); code != 0 {
		t.Error("an image is not found by a short ID")
	}
}

// pack leaves out the layers of a base image that the engine has.
func TestLoadSparse(t *testing.T) {
	e := withBox(t)
	img := box(t)
	more, err := mutate.AppendLayers(img, layerOf(t, file{name: "extra", text: "extra"}))
	if err != nil {
		t.Fatal(err)
	}
	full := archiveOf(t, "test/more:1", more)
	cf, _ := more.ConfigFile()
	layers, _ := more.Layers()
	base, _ := layers[0].Digest()
	var sparse bytes.Buffer
	tw := tar.NewWriter(&sparse)
	for tr := tar.NewReader(full); ; {
		hdr, err := tr.Next()
		if err != nil {
			break
		}
		text, _ := io.ReadAll(tr)
		if strings.Contains(hdr.Name, base.Hex) {
			text, hdr.Size = nil, 0
		}
		tw.WriteHeader(hdr)
		tw.Write(text)
	}
	tw.Close()
	archive := sparse.Bytes()
	load(t, e, bytes.NewReader(archive))
	in, err := e.ImageInspect(t.Context(), "test/more:1")
	if err != nil || len(in.RootFS.Layers) != len(cf.RootFS.DiffIDs) {
		t.Fatalf("inspect = %+v, %v", in, err)
	}
	c := shell("cat /extra")
	c.Image = "test/more:1"
	if out, _, _ := run(t, e, create(t, e, c, nil)); out != "extra" {
		t.Errorf("out = %q", out)
	}
	fresh := open(t)
	if _, err := fresh.ImageLoad(t.Context(), bytes.NewReader(archive)); err == nil {
		t.Error("an image without its base was loaded")
	}
}

func TestLoadErrorClosesInput(t *testing.T) {
	e := open(t)
	pr, pw := io.Pipe()
	failed := make(chan error, 1)
	go func() {
		_, err := pw.Write(bytes.Repeat([]byte("no tar at all "), 100_000))
		failed <- err
	}()
	if _, err := e.ImageLoad(t.Context(), pr); err == nil {
		t.Error("rubbish was loaded")
	}
	if err := <-failed; err == nil {
		t.Error("the writer was not told")
	}
}

func TestSave(t *testing.T) {
	e := withBox(t)
	saved, err := e.ImageSave(t.Context(), []string{"test/box:1"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(saved)
	if err != nil {
		t.Fatal(err)
	}
	other := open(t)
	load(t, other, bytes.NewReader(text))
	a, err := e.ImageInspect(t.Context(), "test/box:1")
	if err != nil {
		t.Fatal(err)
	}
	b, err := other.ImageInspect(t.Context(), "test/box:1")
	if err != nil || a.ID != b.ID {
		t.Errorf("saved and loaded again: %s, %v, want %s", b.ID, err, a.ID)
	}
}

func TestReopen(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	e, err := embedded.Open(t.Context(), embedded.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	load(t, e, archiveOf(t, "test/box:1", box(t)))
	if _, err := embedded.Open(t.Context(), embedded.Config{Dir: dir}); !errors.Is(err, embedded.ErrBusy) {
		t.Errorf("a second engine on the directory gives %v, want ErrBusy", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e = openIn(t, dir, "")
	if out, _, _ := run(t, e, create(t, e, shell("echo again"), nil)); out != "again\n" {
		t.Errorf("out = %q", out)
	}
}

func TestNative(t *testing.T) {
	needRoot(t)
	e := openIn(t, t.TempDir(), "native")
	load(t, e, archiveOf(t, "test/box:1", box(t)))
	for range 2 {
		if out, errOut, _ := run(t, e, create(t, e, shell("touch /tmp/x; ls /tmp; ls /workspace"), nil)); out != "x\nseed\n" {
			t.Errorf("out = %q, %s", out, errOut)
		}
	}
}

func TestRefusals(t *testing.T) {
	e := withBox(t)
	for name, o := range map[string]client.ContainerCreateOptions{
		"missing image": {Config: &container.Config{Image: "nope"}},
		"host network":  {Config: shell("true"), HostConfig: &container.HostConfig{NetworkMode: "host"}},
		"no network":    {Config: shell("true"), HostConfig: &container.HostConfig{NetworkMode: "nope"}},
		"privileged":    {Config: shell("true"), HostConfig: &container.HostConfig{Privileged: true}},
		"bad bind":      {Config: shell("true"), HostConfig: &container.HostConfig{NetworkMode: "none", Binds: []string{"x"}}},
		"volume path":   {Config: shell("true"), HostConfig: &container.HostConfig{NetworkMode: "none", Binds: []string{"../x:/y"}}},
		"unknown user":  {Config: &container.Config{Image: "test/box:1", User: "nobody-here"}, HostConfig: &container.HostConfig{NetworkMode: "none"}},
	} {
		if _, err := e.ContainerCreate(t.Context(), o); err == nil {
			t.Errorf("%s: was accepted", name)
		}
	}
	info, err := e.Info(t.Context(), client.InfoOptions{})
	if err != nil || info.Info.Containers != 0 {
		t.Errorf("refused containers are left: %+v, %v", info.Info, err)
	}
}

func TestKill(t *testing.T) {
	e := withBox(t)
	for name, kill := range map[string]func(id string, cancel func()) error{
		"remove": func(id string, _ func()) error {
			_, err := e.ContainerRemove(t.Context(), id, client.ContainerRemoveOptions{Force: true})
			return err
		},
		"cancel": func(id string, cancel func()) error {
			cancel()
			_, err := e.ContainerRemove(t.Context(), id, client.ContainerRemoveOptions{Force: true})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			id := create(t, e, shell(`setsid sleep 1000 & echo ready; sleep 1000`), nil)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r, w := io.Pipe()
			ended := make(chan error, 1)
			go func() {
				_, err := runInto(ctx, e, id, w, io.Discard)
				ended <- err
			}()
			if _, err := io.ReadFull(r, make([]byte, 6)); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if err := kill(id, cancel); err != nil {
				t.Error(err)
			}
			<-ended
			if took := time.Since(began); took > time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestRemoveUnstarted(t *testing.T) {
	e := withBox(t)
	id := create(t, e, shell("true"), nil)
	wait := e.ContainerWait(t.Context(), id, client.ContainerWaitOptions{Condition: container.WaitConditionNextExit})
	if _, err := e.ContainerRemove(t.Context(), id, client.ContainerRemoveOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := <-wait.Error; !cerrdefs.IsConflict(err) {
		t.Errorf("waiting for a removed container gives %v, want conflict", err)
	}
	if _, err := e.ContainerStart(t.Context(), id, client.ContainerStartOptions{}); !cerrdefs.IsNotFound(err) {
		t.Errorf("starting it gives %v, want not found", err)
	}
}

func TestLimits(t *testing.T) {
	e := withBox(t)
	pids := int64(20)
	h := &container.HostConfig{NetworkMode: "none", Resources: container.Resources{Memory: 32 << 20, PidsLimit: &pids, NanoCPUs: 1e9}}
	c := shell("")
	c.Cmd = []string{"/bin/busybox", "tail", "/dev/zero"}
	if _, _, code := run(t, e, create(t, e, c, h)); code != 137 {
		t.Errorf("a memory hog ends with %d, want 137", code)
	}
	_, stderr, _ := run(t, e, create(t, e, shell(`bomb() { bomb | bomb & }; bomb; sleep 0.3`), h))
	if !strings.Contains(stderr, "can't fork") {
		t.Errorf("a fork bomb met no limit: %.200s", stderr)
	}
}

func crash(dir string) {
	ctx := context.Background()
	e, err := embedded.Open(ctx, embedded.Config{Dir: dir})
	if err != nil {
		panic(err)
	}
	res, err := e.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config:     shell("sleep 1000"),
		HostConfig: &container.HostConfig{Binds: []string{"pack-app-left:/workspace", "keep:/keep"}},
	})
	if err != nil {
		panic(err)
	}
	if _, err := e.ContainerStart(ctx, res.ID, client.ContainerStartOptions{}); err != nil {
		panic(err)
	}
	in, err := e.ContainerInspect(ctx, res.ID, client.ContainerInspectOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Println(in.Container.State.Pid)
	select {}
}

func TestRecover(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	e, err := embedded.Open(t.Context(), embedded.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	load(t, e, archiveOf(t, "test/box:1", box(t)))
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = append(os.Environ(), "EMBEDDED_TEST_CRASH="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(out, &pid); err != nil {
		t.Fatal(err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	e = openIn(t, dir, "")
	if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil && bytes.Contains(text, []byte("sleep")) {
		t.Error("the process runs on")
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(mounts, []byte(dir)) {
		t.Errorf("mounts left:\n%s", mounts)
	}
	volumes, err := os.ReadDir(filepath.Join(dir, "volumes"))
	if err != nil || len(volumes) != 1 || volumes[0].Name() != "keep" {
		t.Errorf("volumes = %v, %v, want keep", volumes, err)
	}
	if out, _, _ := run(t, e, create(t, e, shell("echo fine"), nil)); out != "fine\n" {
		t.Errorf("out = %q", out)
	}
}

func BenchmarkCycle(b *testing.B) {
	e := withBox(b)
	h := func() *container.HostConfig {
		return &container.HostConfig{NetworkMode: "none", SecurityOpt: []string{"no-new-privileges=true"}, Binds: []string{"pack-app-b:/workspace", "pack-layers-b:/layers", "cache:/cache"}}
	}
	c := shell("")
	c.Cmd = []string{"/bin/true"}
	for b.Loop() {
		res, err := e.ContainerCreate(b.Context(), client.ContainerCreateOptions{Config: c, HostConfig: h()})
		if err != nil {
			b.Fatal(err)
		}
		if code, err := runInto(b.Context(), e, res.ID, io.Discard, io.Discard); code != 0 || err != nil {
			b.Fatal(code, err)
		}
		if _, err := e.ContainerRemove(b.Context(), res.ID, client.ContainerRemoveOptions{Force: true}); err != nil {
			b.Fatal(err)
		}
	}
}
