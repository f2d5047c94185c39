package enginetest

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"slipway/buildpacks/build"
)

func (s *suite) testCancel(t *testing.T) {
	b := s.newBuilder(t, nil)
	for _, phase := range []string{"detect.sh", "build.sh"} {
		marker := nap(1)
		script := "echo ready; echo 'build output' >&2; sleep " + marker
		app, more := script, []string(nil)
		if phase == "detect.sh" {
			app, more = "true", []string{phase, script}
		}
		r, out := s.request("cancel", app, more...)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := b.Build(ctx, r)
			ended <- err
		}()
		if phase == "build.sh" {
			if err := out.wait(t.Context(), "ready"); err != nil {
				cancel()
				t.Fatal(err)
			}
		} else {
			waitProcess(t, marker)
		}
		started := time.Now()
		cancel()
		err := <-ended
		if took := time.Since(started); took > 2*time.Second {
			t.Errorf("canceled in %s: Build returned after %v, want 2s at most", phase, took)
		}
		if !errors.Is(err, build.ErrCanceled) || !errors.Is(err, context.Canceled) {
			t.Errorf("canceled in %s: Build() = %v, want ErrCanceled", phase, err)
		}
		s.nothingLeft(t, "sleep "+marker)
	}
	// A build that is canceled before it began, and one that follows.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, _ := s.request("cancel", "true")
	if _, err := b.Build(ctx, r); !errors.Is(err, build.ErrCanceled) {
		t.Errorf("Build() = %v, want ErrCanceled", err)
	}
	r, _ = s.request("cancel", "true")
	s.build(t, b, r)
	s.nothingLeft(t, "")
}

// nap is a time to sleep, in seconds, that no other process of the machine
// sleeps, so that the process that does is known by it.
func nap(n int) string { return strconv.Itoa(1_000_000_000 + 10*os.Getpid() + n) }

// waitProcess waits until a process with marker in its command line runs.
func waitProcess(t *testing.T, marker string) {
	t.Helper()
	deadline := time.NewTimer(soon)
	defer deadline.Stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for len(processes(t, marker)) == 0 {
		select {
		case <-again.C:
		case <-deadline.C:
			t.Fatalf("no process %q", marker)
		}
	}
}

func (s *suite) testTimeout(t *testing.T) {
	b := s.newBuilder(t, func(c *build.Config) { c.Timeout = 3 * time.Second })
	r, _ := s.request("slow", "echo ready; sleep "+nap(2))
	started := time.Now()
	_, err := b.Build(t.Context(), r)
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("Build returned after %v, want 5s at most", took)
	}
	var told *build.Error
	if !errors.Is(err, build.ErrTimeout) || !errors.As(err, &told) || !strings.Contains(told.Text, "3s") {
		t.Errorf("Build() = %v, want ErrTimeout in words", err)
	}
	s.nothingLeft(t, "sleep "+nap(2))
}

func (s *suite) testMemory(t *testing.T) {
	b := s.newBuilder(t, func(c *build.Config) { c.Memory = 96 << 20 })
	// tail keeps a line whole, and the line does not end.
	r, out := s.request("hog", "echo start; tail /dev/zero; echo tail: $?; exit 1")
	err := s.fails(t, b, r)
	if !err.OutOfMemory || !strings.Contains(err.Text, "96 MB") {
		t.Errorf("Error = %+v, want out of memory at 96 MB\n%s", err, out)
	}
	r, _ = s.request("no-hog", "echo start")
	s.build(t, b, r)
	s.nothingLeft(t, "")
}

func (s *suite) testPids(t *testing.T) {
	b := s.newBuilder(t, func(c *build.Config) { c.Pids = 64 })
	r, out := s.request("bomb", "bomb() { bomb | bomb & }; (bomb) ; sleep 1; for i in $(seq 1 100); do sleep "+nap(3)+" & done; wait; exit 1")
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := b.Build(ctx, r)
		ended <- err
	}()
	if err := out.wait(t.Context(), "fork"); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("Build() = nil for a fork bomb")
	}
	s.nothingLeft(t, "sleep "+nap(3))
}

func (s *suite) testCPU(t *testing.T) {
	b := s.newBuilder(t, func(c *build.Config) { c.CPUs = 0.2 })
	r, out := s.request("busy", "timeout 2 sh -c 'while :; do :; done'; times")
	s.build(t, b, r)
	// The second line of times is "0m0.38s 0m0.01s", of the children.
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	user, _, _ := strings.Cut(lines[len(lines)-1], " ")
	used, err := time.ParseDuration(user)
	if err != nil || used > time.Second {
		t.Errorf("two busy seconds at 0.2 processors used %v (%v), want less than one:\n%s", used, err, out)
	}
}

func (s *suite) testDisk(t *testing.T) {
	for i, c := range []struct {
		name, script, want string
		change             func(*build.Config)
	}{
		{"in a volume", `head -c 67108864 /dev/zero >"$1/big"`, "32 MiB", func(c *build.Config) { c.Disk = 32 << 20 }},
		{"in the container", "head -c 67108864 /dev/zero >/tmp/big", "32 MiB", func(c *build.Config) { c.Disk = 32 << 20 }},
		{"many files", `cd "$1"; mkdir many; cd many; seq 1 2000 | xargs touch`, "1000 files", func(c *build.Config) { c.DiskFiles = 1000 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := s.newBuilder(t, c.change)
			marker := nap(4 + i)
			r, out := s.request("big", c.script+"; sleep "+marker)
			ctx, cancel := context.WithTimeout(t.Context(), soon)
			defer cancel()
			_, err := b.Build(ctx, r)
			var told *build.Error
			if !errors.Is(err, build.ErrDisk) || !errors.As(err, &told) {
				t.Fatalf("Build() = %v, want ErrDisk\n%s", err, out)
			}
			if !told.UserFault || told.Phase != "BUILDING" || !strings.Contains(told.Text, c.want) {
				t.Errorf("Error = %+v, want the user's fault and %q", told, c.want)
			}
			s.nothingLeft(t, "sleep "+marker)
		})
	}
	// What is written and gone at once is seen when the build ends.
	b := s.newBuilder(t, func(c *build.Config) { c.Disk = 32 << 20 })
	r, _ := s.request("big", "echo small")
	s.build(t, b, r)
	r, out := s.request("big", `head -c 67108864 /dev/zero >"$1/big"; exit 1`)
	if err := s.fails(t, b, r); !errors.Is(err, build.ErrDisk) {
		t.Errorf("Error = %+v, want ErrDisk\n%s", err, out)
	}
	s.nothingLeft(t, "")
}
