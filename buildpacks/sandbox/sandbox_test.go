package sandbox_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"slipway/buildpacks/sandbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open gives a pool that isolates, or skips.
func open(t *testing.T, cfg sandbox.Config) *sandbox.Pool {
	t.Helper()
	p, err := sandbox.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	s, err := p.Support(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("support: %+v", s)
	if !s.Isolated && !cfg.Plain {
		t.Skipf("this machine has no sandbox: %v", s.Missing)
	}
	return p
}

func app(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func sh(dir, script string) sandbox.Command {
	return sandbox.Command{
		App: dir, Args: []string{"/bin/sh", "-c", script}, Env: []string{"PATH=/usr/bin:/bin"}, Collect: "/tmp/plan/plan.toml",
		Limits: sandbox.Limits{Timeout: 10 * time.Second, Memory: 256 << 20, Pids: 64, Output: 4096, Collect: 1000},
	}
}

func run(t *testing.T, p *sandbox.Pool, c sandbox.Command) *sandbox.Outcome {
	t.Helper()
	out, err := p.Run(t.Context(), c)
	if err != nil {
		t.Fatalf("Run(%q): %v", c.Args, err)
	}
	return out
}

func TestProgramSeesTheAppAndLittleElse(t *testing.T) {
	t.Parallel()
	p := open(t, sandbox.Config{})
	dir := app(t, map[string]string{"hello.txt": "hello", "sub/deep.txt": "deep", "unread.txt": "x"})
	cases := []struct{ name, script, want string }{
		{"the app is where it starts", "pwd; ls; cat hello.txt sub/deep.txt", "/workspace\nhello.txt\nsub\nunread.txt\nhellodeep"},
		{"it is nobody of this machine", "id -u; id -g", "1000\n1000\n"},
		{"it sees its own processes only", "ls -d /proc/[0-9]* | wc -l | tr -d ' '", "5\n"},
		{"it finds no home", "ls /root /home 2>&1 | head -3", "ls: cannot access '/root': No such file or directory\n/home:\ncnb\n"},
		{"it writes to /tmp", "echo text > /tmp/file; cat /tmp/file; ls /tmp", "text\nfile\nplan\n"},
		{"nothing is left of the one before", "ls /tmp", "plan\n"},
		{"it does not write to the machine", "echo a > /usr/a; echo a > /a; true", "/bin/sh: 1: cannot create /usr/a: Read-only file system\n/bin/sh: 1: cannot create /a: Read-only file system\n"},
		{"it has devices", "echo a > /dev/null; head -c 3 /dev/zero | od -An -tx1; echo e >/dev/stderr", " 00 00 00\ne\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out := run(t, p, sh(dir, c.script))
			if got := string(out.Output); got != c.want || out.StartErr != "" {
				t.Errorf("output of %q = %q, want %q (%s)", c.script, got, c.want, out.StartErr)
			}
		})
	}
}

func TestWhatAProgramDoesIsSeen(t *testing.T) {
	t.Parallel()
	p := open(t, sandbox.Config{})
	dir := app(t, map[string]string{"a.txt": "a", "b.txt": "b", "c/d.txt": "d", "c/e.txt": "e"})
	out := run(t, p, sh(dir, `cat a.txt c/d.txt; echo x > new; echo y > c/e.txt; rm b.txt; mkdir -p empty/dir; echo "plan=1" > /tmp/plan/plan.toml; exit 7`))
	if want := []string{"b.txt", "c/e.txt", "empty/dir", "new"}; !slices.Equal(out.Wrote, want) {
		t.Errorf("Wrote = %q, want %q", out.Wrote, want)
	}
	if !out.FilesSeen || !slices.Contains(out.Files, "a.txt") || !slices.Contains(out.Files, "c/d.txt") || slices.Contains(out.Files, "b.txt") {
		t.Errorf("Files = %q, %v; want a.txt and c/d.txt among them, not b.txt", out.Files, out.FilesSeen)
	}
	if out.ExitCode != 7 || string(out.Collected) != "plan=1\n" || out.Network {
		t.Errorf("outcome = %+v, want exit code 7, the plan and no network", out)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "c/e.txt")); err != nil || string(data) != "e" {
		t.Errorf("c/e.txt = %q, %v; want it as it was", data, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 {
		t.Errorf("the app has %v, want it as it was", entries)
	}
}

func TestNetworkIsClosedAndSeen(t *testing.T) {
	t.Parallel()
	p := open(t, sandbox.Config{})
	for _, script := range []string{
		"getent ahosts example.com", "exec 3<>/dev/tcp/127.0.0.1/80", "exec 3<>/dev/tcp/192.0.2.1/80",
	} {
		c := sh(t.TempDir(), script)
		c.Args[0] = "/bin/bash"
		if out := run(t, p, c); !out.Network || out.ExitCode == 0 {
			t.Errorf("after %q: Network = %v, exit code %d, want true and a failure: %s", script, out.Network, out.ExitCode, out.Output)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for _, plain := range []bool{false, true} {
		p := open(t, sandbox.Config{Plain: plain})
		c := sh(t.TempDir(), "sleep 100 & sleep 100")
		if plain {
			c.Collect = filepath.Join(t.TempDir(), "plan.toml")
		}
		c.Limits.Timeout = 300 * time.Millisecond
		started := time.Now()
		if out := run(t, p, c); !out.TimedOut || time.Since(started) > 5*time.Second {
			t.Errorf("plain %v: outcome of one that hangs = %+v after %s, want it timed out", plain, out, time.Since(started))
		}
		c.Limits.Timeout = 10 * time.Second
		c.Args[2] = "yes 0123456789 | head -c 100000000; echo end"
		out := run(t, p, c)
		if n := len(out.Output); n != 4096 || out.Dropped != 100000004-4096 || !strings.HasSuffix(string(out.Output), "end\n") {
			t.Errorf("plain %v: %d bytes kept, %d dropped, ending in %q", plain, n, out.Dropped, out.Output[n-20:])
		}
		c.Args[2] = "(setsid sleep 100 >/dev/null 2>&1 &); setsid sleep 200 & exit 0"
		if out := run(t, p, c); out.ExitCode != 0 || !out.LeftRunning {
			t.Errorf("plain %v: outcome of one that leaves processes = %+v", plain, out)
		}
		c.Args[2] = "kill -9 $$"
		if out := run(t, p, c); out.Signal != 9 {
			t.Errorf("plain %v: outcome of one that kills itself = %+v", plain, out)
		}
		c.Args[2] = "head -c 2000 /dev/zero > " + c.Collect
		if out := run(t, p, c); out.CollectErr == "" {
			t.Errorf("plain %v: a long plan was collected", plain)
		}
		c.Args = []string{"/no/such"}
		if out := run(t, p, c); !strings.Contains(out.StartErr, "no such file") {
			t.Errorf("plain %v: StartErr = %q", plain, out.StartErr)
		}
	}
}

func TestForkBombAndMemory(t *testing.T) {
	t.Parallel()
	p := open(t, sandbox.Config{})
	c := sh(t.TempDir(), ":(){ :|:& };: ; sleep 1; exit 3")
	c.Args[0] = "/bin/bash"
	c.Limits.Timeout = 5 * time.Second
	if out := run(t, p, c); !out.LeftRunning && !out.TimedOut {
		t.Errorf("outcome of a fork bomb = %d, want what it left to be stopped", out.ExitCode)
	}
	c.Args[2] = "a=$(head -c 1000000000 /dev/zero | tr '\\0' x); exit 0"
	if out := run(t, p, c); out.ExitCode == 0 {
		t.Errorf("outcome of one that eats memory = exit code 0, want a failure")
	}
	c.Args[2] = "dd if=/dev/zero of=/tmp/x bs=1M count=500"
	if out := run(t, p, c); out.ExitCode == 0 {
		t.Errorf("outcome of one that writes a long file = exit code 0, want a failure")
	}
}

func BenchmarkSandbox(b *testing.B) {
	p, err := sandbox.Open(sandbox.Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	dir := b.TempDir()
	for b.Loop() {
		if _, err := p.Run(b.Context(), sandbox.Command{App: dir, Args: []string{"/bin/true"}, Limits: sandbox.Limits{Timeout: 1e10, Memory: 1 << 28, Pids: 64, Output: 4096}}); err != nil {
			b.Fatal(err)
		}
	}
}
