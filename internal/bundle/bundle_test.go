package bundle_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"slipway/internal/bundle"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("BUNDLE_TEST_CRASH"); dir != "" {
		crash(dir, os.Getenv("BUNDLE_TEST_CGROUP"), os.Getenv("BUNDLE_TEST_LAYER"))
		return
	}
	goleak.VerifyTestMain(m)
}

// layer makes a root file system of a static busybox.
func layer(tb testing.TB) string {
	tb.Helper()
	if os.Geteuid() != 0 {
		tb.Skip("containers need root")
	}
	box, err := exec.LookPath("busybox")
	if err != nil {
		tb.Fatal("no busybox: apt-get install busybox-static")
	}
	text, err := os.ReadFile(box)
	if err != nil {
		tb.Fatal(err)
	}
	dir := filepath.Join(tb.TempDir(), "layer")
	for _, sub := range []string{"bin", "etc", "tmp", "proc", "dev", "sys"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "bin/busybox"), text, 0o755); err != nil {
		tb.Fatal(err)
	}
	for _, name := range []string{"sh", "sleep", "cat", "id", "ls", "grep", "head", "dd", "wc", "true", "mount", "tail", "touch"} {
		if err := os.Symlink("busybox", filepath.Join(dir, "bin", name)); err != nil {
			tb.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"etc/passwd": "root:x:0:0::/root:/bin/sh\ncnb:x:1000:1001::/home/cnb:/bin/sh\n",
		"etc/group":  "root:x:0:\ncnb:x:1001:\nextra:x:1005:cnb\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	// A link of the kind that real images have.
	if err := os.Symlink("../run/resolv/stub.conf", filepath.Join(dir, "etc/resolv.conf")); err != nil {
		tb.Fatal(err)
	}
	return dir
}

func cgroupName(tb testing.TB) string {
	tb.Helper()
	return fmt.Sprintf("/slipway-test-%d-%s", os.Getpid(), strings.ToLower(strings.NewReplacer("/", "-").Replace(tb.Name())))
}

func open(tb testing.TB) (*bundle.Runtime, string) {
	tb.Helper()
	low := layer(tb)
	rt, err := bundle.Open(tb.Context(), bundle.Config{Dir: tb.TempDir(), Cgroup: cgroupName(tb), Log: zaptest.NewLogger(tb, zaptest.Level(zap.WarnLevel))})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := rt.Close(context.WithoutCancel(tb.Context())); err != nil {
			tb.Error(err)
		}
	})
	return rt, low
}

// output runs a shell script in a new container.
func output(tb testing.TB, rt *bundle.Runtime, s bundle.Spec, p bundle.Process) (string, int) {
	tb.Helper()
	c, err := rt.Create(tb.Context(), s)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() {
		if err := c.Remove(context.WithoutCancel(tb.Context())); err != nil {
			tb.Error(err)
		}
	}()
	return outputOf(tb, c, p)
}

func outputOf(tb testing.TB, c *bundle.Container, p bundle.Process) (string, int) {
	tb.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Close()
	err = c.Start(tb.Context(), p, bundle.Stdio{Stdout: w, Stderr: w})
	w.Close()
	if err != nil {
		tb.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := io.Copy(&out, r); err != nil {
		tb.Fatal(err)
	}
	code, err := c.Wait(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return out.String(), code
}

func script(text string) bundle.Process {
	return bundle.Process{Args: []string{"/bin/sh", "-c", text}, Env: []string{"PATH=/bin"}, NoNewPrivileges: true}
}

func TestRun(t *testing.T) {
	rt, low := open(t)
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "in"), []byte("from the host"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, code := output(t, rt, bundle.Spec{
		ID: "one", Lower: []string{low}, Hostname: "box",
		Mounts: []bundle.Mount{{Source: data, Target: "/data/deep"}, {Source: data, Target: "/ro", ReadOnly: true}, {Source: data, Target: "/dev/data"}},
		Files:  map[string]string{"/etc/resolv.conf": "nameserver 127.0.0.53\n", "/etc/hosts": "127.0.0.1 localhost\n"},
	}, script(`cat /etc/resolv.conf /data/deep/in; echo; cat /proc/sys/kernel/hostname
echo out > /data/deep/out; echo x > /ro/x; ls /dev/data; echo $$; id; grep -E "CapEff|NoNewPrivs|Seccomp:" /proc/self/status
echo x > /proc/sys/kernel/hostname; ls /dev; echo score $(cat /proc/self/oom_score_adj); exit 7`))
	if code != 7 {
		t.Errorf("code = %d, want 7", code)
	}
	for _, want := range []string{
		"nameserver 127.0.0.53", "from the host", "\nbox\n", "\n1\n", "uid=0(root)", "CapEff:\t00000000a80425fb",
		"NoNewPrivs:\t1", "Seccomp:\t2", "can't create /ro/x: Read-only file system", "can't create /proc/sys/kernel/hostname: Read-only",
		"\nin\nout\n", "ptmx", "score 500\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
	if text, err := os.ReadFile(filepath.Join(data, "out")); err != nil || string(text) != "out\n" {
		t.Errorf("volume has %q, %v", text, err)
	}
	if _, err := os.Stat(filepath.Join(low, "data")); err == nil {
		t.Error("the layer was written to")
	}
}

func TestEnvironmentStaysOffTheDisk(t *testing.T) {
	rt, low := open(t)
	c, err := rt.Create(t.Context(), bundle.Spec{ID: "secretive", Lower: []string{low}})
	if err != nil {
		t.Fatal(err)
	}
	const secret = "a-secret-of-26-letters-say"
	p := script("sleep 1000")
	p.Env = append(p.Env, "TOKEN="+secret)
	if err := c.Start(t.Context(), p, bundle.Stdio{}); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(c.Written())
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.Name() == "rootfs":
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(text), secret) {
			t.Errorf("%s holds the environment of a process that runs", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Remove(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestUser(t *testing.T) {
	rt, low := open(t)
	c, err := rt.Create(t.Context(), bundle.Spec{ID: "u", Lower: []string{low}})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"": "0 0 [0]", "root": "0 0 [0]", "cnb": "1000 1001 [1005 1001]", "1000:1001": "1000 1001 [1001]", "1000": "1000 1001 [1005 1001]", "cnb:root": "1000 0 [0]", "5:6": "5 6 [6]",
	} {
		u, err := c.User(name)
		if got := fmt.Sprint(u.UID, u.GID, u.Groups); err != nil || got != want {
			t.Errorf("User(%q) = %s, %v, want %s", name, got, err, want)
		}
	}
	if _, err := c.User("nobody-here"); err == nil {
		t.Error("an unknown user was found")
	}
	u, err := c.User("cnb")
	if err != nil {
		t.Fatal(err)
	}
	p := script("id; grep CapEff /proc/self/status")
	p.User = u
	out, _ := outputOf(t, c, p)
	if !strings.Contains(out, "uid=1000(cnb) gid=1001(cnb) groups=1005(extra),1001(cnb)") && !strings.Contains(out, "uid=1000(cnb) gid=1001(cnb) groups=1001(cnb),1005(extra)") {
		t.Errorf("id = %s", out)
	}
	if !strings.Contains(out, "CapEff:\t0000000000000000") {
		t.Errorf("a plain user has capabilities: %s", out)
	}
}

func TestStartErrors(t *testing.T) {
	rt, low := open(t)
	c, err := rt.Create(t.Context(), bundle.Spec{ID: "bad", Lower: []string{low}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rt.Create(t.Context(), bundle.Spec{ID: "bad", Lower: []string{low}}); !errors.Is(err, bundle.ErrExists) {
		t.Errorf("second Create = %v, want ErrExists", err)
	}
	err = c.Start(t.Context(), bundle.Process{Args: []string{"/no/such"}}, bundle.Stdio{})
	if serr := (*bundle.StartError)(nil); !errors.As(err, &serr) || !strings.Contains(err.Error(), "/no/such") {
		t.Errorf("Start = %v, want a StartError that names the file", err)
	}
	if err := c.Start(t.Context(), script("true"), bundle.Stdio{}); !errors.Is(err, bundle.ErrStarted) {
		t.Errorf("second Start = %v, want ErrStarted", err)
	}
	if err := c.Remove(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := rt.Create(t.Context(), bundle.Spec{ID: "../x", Lower: []string{low}}); err == nil {
		t.Error("an ID with a path was accepted")
	}
}

func TestKill(t *testing.T) {
	rt, low := open(t)
	for name, kill := range map[string]func(c *bundle.Container, cancel func()) error{
		"Kill":    func(c *bundle.Container, _ func()) error { return c.Kill(t.Context()) },
		"Remove":  func(c *bundle.Container, _ func()) error { return c.Remove(t.Context()) },
		"context": func(_ *bundle.Container, cancel func()) error { cancel(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			c, err := rt.Create(t.Context(), bundle.Spec{ID: "k", Lower: []string{low}})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			// Children that ignore signals and leave their session.
			err = c.Start(ctx, script(`trap "" TERM INT HUP; for i in 1 2 3; do busybox setsid sleep 1000 & done; echo ready; sleep 1000`), bundle.Stdio{Stdout: w})
			w.Close()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(r, make([]byte, 6)); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if err := kill(c, cancel); err != nil {
				t.Fatal(err)
			}
			code, err := c.Wait(t.Context())
			if took := time.Since(began); took > time.Second {
				t.Errorf("killing took %v", took)
			}
			if err != nil || code != 137 {
				t.Errorf("Wait = %d, %v, want 137", code, err)
			}
			if err := c.Remove(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	if mounts := mountsBelow(t, "/run/k/"); len(mounts) > 0 {
		t.Errorf("mounts left: %v", mounts)
	}
}

func TestKillEarly(t *testing.T) {
	rt, low := open(t)
	// At any moment of its start.
	for i := range 20 {
		c, err := rt.Create(t.Context(), bundle.Spec{ID: fmt.Sprint("e", i), Lower: []string{low}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*2*time.Millisecond)
		err = c.Start(ctx, script("sleep 1000"), bundle.Stdio{})
		if err == nil {
			_, err = c.Wait(t.Context())
		}
		cancel()
		if err := c.Remove(t.Context()); err != nil {
			t.Error(err)
		}
		select {
		case <-c.Done():
		default:
			t.Errorf("run %d: still running, Start or Wait = %v", i, err)
		}
	}
}

func TestLimits(t *testing.T) {
	rt, low := open(t)
	t.Run("memory", func(t *testing.T) {
		for name, want := range map[string]struct {
			p    bundle.Process
			code int
			oom  bool
		}{
			"hog":   {bundle.Process{Args: []string{"/bin/tail", "/dev/zero"}}, 137, true},
			"child": {script("tail /dev/zero; exit 4"), 4, true},
			"small": {script("exit 5"), 5, false},
		} {
			c, err := rt.Create(t.Context(), bundle.Spec{ID: "mem-" + name, Lower: []string{low}, Limits: bundle.Limits{Memory: 32 << 20}})
			if err != nil {
				t.Fatal(err)
			}
			out, code := outputOf(t, c, want.p)
			if code != want.code || c.OOMKilled() != want.oom {
				t.Errorf("%s ends with %d, out of memory %v, want %d, %v: %s", name, code, c.OOMKilled(), want.code, want.oom, out)
			}
			if err := c.Remove(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("pids", func(t *testing.T) {
		out, _ := output(t, rt, bundle.Spec{ID: "pids", Lower: []string{low}, Limits: bundle.Limits{Pids: 20}},
			script(`bomb() { bomb | bomb & }; bomb; sleep 0.3; echo done`))
		if !strings.Contains(out, "can't fork") {
			t.Errorf("a fork bomb met no limit: %.300s", out)
		}
	})
	t.Run("cpu", func(t *testing.T) {
		out, _ := output(t, rt, bundle.Spec{ID: "cpu", Lower: []string{low}, Limits: bundle.Limits{NanoCPUs: 500_000_000}},
			script(`cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null`))
		if !strings.Contains(out, "50000") {
			t.Errorf("quota = %q, want 50000", out)
		}
	})
}

func TestConcurrent(t *testing.T) {
	rt, low := open(t)
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			c, err := rt.Create(t.Context(), bundle.Spec{ID: fmt.Sprint("c", i), Lower: []string{low}})
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Remove(context.WithoutCancel(t.Context()))
			if err := c.Start(t.Context(), script(fmt.Sprint("exit ", i)), bundle.Stdio{}); err != nil {
				t.Error(err)
				return
			}
			if code, err := c.Wait(t.Context()); code != i || err != nil {
				t.Errorf("Wait = %d, %v, want %d", code, err, i)
			}
		})
	}
	wg.Wait()
}

// crash starts a container and waits to be killed.
func crash(dir, cgroup, low string) {
	rt, err := bundle.Open(context.Background(), bundle.Config{Dir: dir, Cgroup: cgroup})
	if err != nil {
		panic(err)
	}
	c, err := rt.Create(context.Background(), bundle.Spec{ID: "left", Lower: []string{low}, Mounts: []bundle.Mount{{Source: filepath.Dir(low), Target: "/host"}}})
	if err != nil {
		panic(err)
	}
	if err := c.Start(context.Background(), script("sleep 1000"), bundle.Stdio{}); err != nil {
		panic(err)
	}
	fmt.Println(c.Pid())
	select {}
}

func TestRecover(t *testing.T) {
	low := layer(t)
	dir, cgroup := t.TempDir(), cgroupName(t)
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = append(os.Environ(), "BUNDLE_TEST_CRASH="+dir, "BUNDLE_TEST_CGROUP="+cgroup, "BUNDLE_TEST_LAYER="+low)
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
	if _, err := os.Stat(fmt.Sprint("/proc/", pid)); err != nil {
		t.Fatalf("the container did not survive its server: %v", err)
	}
	if len(mountsBelow(t, dir)) == 0 {
		t.Fatal("no mount was left")
	}
	rt, err := bundle.Open(t.Context(), bundle.Config{Dir: dir, Cgroup: cgroup})
	if err != nil {
		t.Fatal(err)
	}
	if mounts := mountsBelow(t, dir); len(mounts) > 0 {
		t.Errorf("mounts left: %v", mounts)
	}
	if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil && bytes.Contains(text, []byte("sleep")) {
		t.Error("the process runs on")
	}
	if _, err := os.Stat(filepath.Join(low, "bin/busybox")); err != nil {
		t.Errorf("what was mounted into the container was deleted: %v", err)
	}
	if err := rt.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob("/sys/fs/cgroup/*" + cgroup); len(left) > 0 {
		t.Errorf("cgroups left: %v", left)
	}
	for _, sub := range []string{"run", "state", "trash"} {
		if entries, err := os.ReadDir(filepath.Join(dir, sub)); err != nil || len(entries) > 0 {
			t.Errorf("%s has %v, %v", sub, entries, err)
		}
	}
}

func mountsBelow(tb testing.TB, part string) []string {
	tb.Helper()
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		tb.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, part) {
			found = append(found, line)
		}
	}
	return found
}

func BenchmarkRun(b *testing.B) {
	rt, low := open(b)
	n := 0
	for b.Loop() {
		n++
		c, err := rt.Create(b.Context(), bundle.Spec{ID: fmt.Sprint("b", n), Lower: []string{low}, Limits: bundle.Limits{Memory: 1 << 30, Pids: 500, NanoCPUs: 2e9}})
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Start(b.Context(), bundle.Process{Args: []string{"/bin/true"}}, bundle.Stdio{}); err != nil {
			b.Fatal(err)
		}
		if code, err := c.Wait(b.Context()); code != 0 || err != nil {
			b.Fatal(code, err)
		}
		if err := c.Remove(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
