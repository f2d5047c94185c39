package dynotest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"slipway/internal/dyno"
)

func (s *suite) testSlugs(t *testing.T) {
	t.Helper()
	t.Run("concurrent calls share the work", func(t *testing.T) {
		slug := s.reg.push(t, "shared", fixture{user: "cnb"}.image(t))
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if err := s.backend.Prepare(t.Context(), slug); err != nil {
					t.Errorf("Prepare() = %v", err)
				}
			})
		}
		wg.Wait()
		if n := s.reg.pulls("shared"); n != 1 {
			t.Errorf("the slug was pulled %d times, want once", n)
		}
	})
	t.Run("a missing slug", func(t *testing.T) {
		missing := dyno.Slug{App: "shop", Digest: "sha256:" + strings.Repeat("0", 64)}
		if err := s.backend.Prepare(t.Context(), missing); !errors.Is(err, dyno.ErrNotFound) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("Prepare(missing) = %v, want ErrNotFound and no secret", err)
		}
	})
	t.Run("a root user is refused", func(t *testing.T) {
		spec := s.spec("id")
		for _, user := range []string{"", "0", "root"} {
			spec.Slug = s.reg.push(t, "rooted", fixture{user: user}.image(t))
			if _, err := s.tryStart(t, spec); err == nil || !strings.Contains(err.Error(), "root") {
				t.Errorf("Start(user %q) = %v, want an error that names root", user, err)
			}
		}
	})
	t.Run("a missing process type", func(t *testing.T) {
		spec := s.spec("")
		for _, kind := range []string{"clock", "../../bin/sh", "."} {
			spec.Type = kind
			if _, err := s.tryStart(t, spec); !errors.Is(err, dyno.ErrNotFound) {
				t.Errorf("Start(type %q) = %v, want ErrNotFound", kind, err)
			}
		}
	})
	t.Run("what is kept", func(t *testing.T) { s.testKeep(t) })
}

func (s *suite) testKeep(t *testing.T) {
	t.Helper()
	used := s.reg.push(t, "used", fixture{user: "cnb", processes: map[string]string{"a": "true"}}.image(t))
	idle := s.reg.push(t, "idle", fixture{user: "cnb", processes: map[string]string{"b": "true"}}.image(t))
	spec := s.spec("echo on; cat; ls /bin/busybox")
	spec.Slug = used
	p := s.start(t, spec)
	p.expect("on\n")
	if err := s.backend.Prepare(t.Context(), idle); err != nil {
		t.Fatalf("Prepare() = %v", err)
	}
	if err := s.backend.Keep(t.Context(), func(slug dyno.Slug) bool { return slug == s.slug }); err != nil {
		t.Fatalf("Keep() = %v", err)
	}
	_ = p.stdin.Close()
	if exit := p.wait(); exit.Code != 0 {
		t.Errorf("a running dyno lost its slug: %+v, %q", exit, p.err.now())
	}
	before := s.reg.pulls("idle")
	if err := s.backend.Prepare(t.Context(), idle); err != nil {
		t.Errorf("Prepare() = %v", err)
	}
	if s.reg.pulls("idle") == before {
		t.Error("a slug that nobody wants was kept")
	}
}

func (s *suite) testOutput(t *testing.T) {
	t.Helper()
	t.Run("comes whole", func(t *testing.T) {
		p := s.start(t, s.spec("seq 1 20000; printf last; echo problem > /dev/stderr"))
		p.wait()
		if err := p.Remove(t.Context()); err != nil {
			t.Errorf("Remove() = %v", err)
		}
		out := p.out.all()
		if lines := strings.Count(out, "\n"); lines != 20000 || !strings.HasSuffix(out, "20000\nlast") {
			t.Errorf("%d lines that end with %q, want 20000 and the last", lines, out[max(0, len(out)-30):])
		}
		if got := p.err.all(); got != "problem\n" {
			t.Errorf("standard error is %q", got)
		}
	})
	t.Run("comes at once", func(t *testing.T) {
		p := s.start(t, s.spec("echo first; cat; echo $?"))
		p.expect("first\n")
		if _, err := fmt.Fprintln(p.stdin, "typed"); err != nil {
			t.Fatal(err)
		}
		p.expect("typed\n")
		_ = p.stdin.Close()
		p.expect("typed\n0\n")
		if exit := p.wait(); exit.Code != 0 {
			t.Errorf("Wait() = %+v", exit)
		}
	})
	t.Run("without pipes", func(t *testing.T) {
		c, err := s.backend.Start(t.Context(), s.spec("cat; echo to nobody; exit 3"), dyno.Stdio{})
		if err != nil {
			t.Fatalf("Start() = %v", err)
		}
		exit, err := c.Wait(t.Context())
		if err != nil || exit.Code != 3 {
			t.Errorf("Wait() = %+v, %v, want 3", exit, err)
		}
		for range 2 {
			if err := c.Remove(t.Context()); err != nil {
				t.Errorf("Remove() = %v", err)
			}
		}
	})
}

func (s *suite) testEndings(t *testing.T) {
	t.Helper()
	for command, want := range map[string]int{"true": 0, "exit 7": 7, "kill -9 $$": 137, "kill -TERM $$": 143, "nothing-such": 127} {
		if out, exit := s.run(t, command); exit != (dyno.Exit{Code: want}) {
			t.Errorf("%q ends with %+v, want %d: %s", command, exit, want, out)
		}
	}
	t.Run("asked to end", func(t *testing.T) {
		for command, want := range map[string]int{
			"echo on; sleep 1000; true": 143,
			"trap 'echo bye; exit 9' TERM; echo on; while :; do sleep 0.02; done": 9,
		} {
			p := s.start(t, s.spec(command))
			p.expect("on\n")
			if err := p.Terminate(t.Context()); err != nil {
				t.Errorf("Terminate() = %v", err)
			}
			if exit := p.wait(); exit.Code != want {
				t.Errorf("%q ends with %+v, want %d", command, exit, want)
			}
			if err := p.Terminate(t.Context()); err != nil {
				t.Errorf("Terminate() after the end = %v", err)
			}
		}
	})
	t.Run("asked to end at once", func(t *testing.T) {
		p := s.start(t, s.spec("exec sleep 1000"))
		if err := p.Terminate(t.Context()); err != nil {
			t.Errorf("Terminate() = %v", err)
		}
		if exit := p.wait(); exit.Code != 143 {
			t.Errorf("Wait() = %+v, want 143", exit)
		}
	})
	t.Run("orphans are reaped and end with it", func(t *testing.T) {
		out, exit := s.run(t, "(sleep 1000 &); for i in 1 2 3; do (true &); done; sleep 0.1; ps -o stat | grep -c Z; exit 4")
		if exit.Code != 4 || strings.TrimSpace(out) != "0" {
			t.Errorf("zombies = %q, exit %+v", out, exit)
		}
	})
	t.Run("removed while it runs", func(t *testing.T) {
		p := s.start(t, s.spec("trap '' TERM HUP; echo on; bomb() { bomb | bomb & }; bomb; while :; do :; done"))
		p.expect("on\n")
		if err := p.Remove(t.Context()); err != nil {
			t.Errorf("Remove() = %v", err)
		}
		p.out.all()
	})
}

func (s *suite) testEnvironment(t *testing.T) {
	t.Helper()
	spec := s.spec("")
	spec.Type, spec.Name = "web", "web.1"
	spec.Env = map[string]string{"PORT": "8080", "DYNO": "web.1", "TYPE_SAYS": "web", "OVERRIDDEN": "by config", "ODD": "a=b c\nd"}
	p := s.start(t, spec)
	p.expect("web from /workspace\n")
	spec.ID, spec.Type = "env", ""
	spec.Command = `hostname; echo "$PORT|$DYNO|$OVERRIDDEN|$FROM_IMAGE|$HOME|$ODD|$PATH"; cat /etc/hostname; id -u; echo x > f; cat f`
	p = s.start(t, spec)
	p.wait()
	if err := p.Remove(t.Context()); err != nil {
		t.Errorf("Remove() = %v", err)
	}
	host := s.Hostname
	if host == "" {
		host = "web.1"
	}
	want := host + "\n8080|web.1|by config|yes|/home/cnb|a=b c\nd|/cnb/process:/bin\n" + host + "\n1000\nx\n"
	if got := p.out.all() + p.err.all(); got != want {
		t.Errorf("the dyno saw %q, want %q", got, want)
	}
}
