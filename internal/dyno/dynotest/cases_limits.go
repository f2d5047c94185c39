package dynotest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/internal/dyno"
)

func (s *suite) testLimits(t *testing.T) {
	t.Helper()
	// Whatever others do, this one goes on.
	other := s.start(t, s.spec("echo on; read x; echo x > f && cat f; echo still; exit 5"))
	other.expect("on\n")
	t.Run("memory", func(t *testing.T) {
		if out, exit := s.run(t, "exec tail /dev/zero"); exit != (dyno.Exit{Code: 137, OOMKilled: true}) {
			t.Errorf("a memory hog ends with %+v, want 137, out of memory: %s", exit, out)
		}
		if _, exit := s.run(t, "exit 137"); exit.OOMKilled {
			t.Errorf("a small one ends with %+v, want enough memory", exit)
		}
	})
	t.Run("processes", func(t *testing.T) {
		out, _ := s.run(t, "for i in $(seq 60); do sleep 1000 & done")
		if !strings.Contains(out, "can't fork") {
			t.Errorf("60 processes met no limit of %d: %s", s.env.Limits.Pids, out)
		}
		p := s.start(t, s.spec("echo on; bomb() { bomb | bomb & }; bomb; while :; do :; done"))
		p.expect("on\n")
		if err := p.Remove(t.Context()); err != nil {
			t.Errorf("Remove() = %v", err)
		}
	})
	t.Run("disk", func(t *testing.T) {
		out, exit := s.run(t, "dd if=/dev/zero of=f bs=1M count=100 && exec sleep 1000")
		if exit.Code == 0 {
			t.Errorf("who fills the disk ends with %+v: %s", exit, out)
		}
		if out, exit := s.run(t, "dd if=/dev/zero of=f bs=1M count=8 2>/dev/null && wc -c f"); exit.Code != 0 || out != "8388608 f\n" {
			t.Errorf("who writes a little ends with %+v: %q", exit, out)
		}
	})
	_, _ = fmt.Fprintln(other.stdin, "go")
	if exit := other.wait(); exit != (dyno.Exit{Code: 5}) {
		t.Errorf("another dyno ended with %+v: %q", exit, other.out.now())
	}
}

func (s *suite) testPrivileges(t *testing.T) {
	t.Helper()
	out, _ := s.run(t, "cat /proc/self/status; tr '\\0' ' ' < /proc/1/cmdline")
	for _, want := range []string{
		"Uid:\t1000\t1000\t1000\t1000\n", "Gid:\t1000\t1000\t1000\t1000\n", "Groups:\t1000 \n",
		"CapInh:\t0000000000000000\n", "CapPrm:\t0000000000000000\n", "CapEff:\t0000000000000000\n",
		"CapBnd:\t0000000000000000\n", "CapAmb:\t0000000000000000\n", "NoNewPrivs:\t1\n", "Seccomp:\t2\n", "init",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the process lacks %q:\n%s", want, out)
		}
	}
	secret := filepath.Join(s.env.Dir, "secret")
	if err := os.WriteFile(secret, []byte("of the server"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{
		"ls " + secret, "cat /proc/1/root/etc/shadow", "mount -t tmpfs none /tmp", "echo x > /bin/x", "echo x > /etc/resolv.conf",
		"echo x > /proc/sys/kernel/hostname", "cat /dev/mem", "ls -d /proc/[0-9]* | wc -l | grep -v '^[0-9]$'",
	} {
		if out, exit := s.run(t, command); exit.Code == 0 {
			t.Errorf("%q succeeds: %s", command, out)
		}
	}
	// What one dyno writes, no other sees.
	s.run(t, "echo x > /tmp/left")
	if out, _ := s.run(t, "ls /tmp /workspace"); strings.Contains(out, "left") {
		t.Errorf("a dyno's file is seen by the next: %s", out)
	}
}
