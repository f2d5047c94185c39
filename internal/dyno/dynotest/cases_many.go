package dynotest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"slipway/internal/dyno"
)

// crashVariable holds the configuration of a backend that is to be killed.
const crashVariable = "SLIPWAY_DYNOTEST_CRASH"

func (s *suite) testMany(t *testing.T) {
	t.Helper()
	const many = 20
	procs := make([]*proc, many)
	var wg sync.WaitGroup
	for i := range many {
		wg.Go(func() {
			p, err := s.tryStart(t, s.spec(fmt.Sprintf("read x; echo $x; exit %d", i)))
			if err != nil {
				t.Errorf("Start() = %v", err)
				return
			}
			procs[i] = p
		})
	}
	wg.Wait()
	for i, p := range procs {
		if p == nil {
			continue
		}
		_, _ = fmt.Fprintln(p.stdin, "mine", i)
		if exit := p.wait(); exit.Code != i {
			t.Errorf("Wait() = %+v, want %d", exit, i)
		}
		if got, want := p.out.all(), fmt.Sprintln("mine", i); got != want {
			t.Errorf("output is %q, want %q", got, want)
		}
	}
}

// A crash is what a backend that is to be killed needs.
type crash struct {
	Env    Env
	Token  string
	Slug   dyno.Slug
	Marker string
}

// crashHere is the other program's part of testRecovery.
func crashHere(tb testing.TB, h Harness, text string) {
	tb.Helper()
	var c crash
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		tb.Fatal(err)
	}
	c.Env.Token = func(string) (string, func()) { return c.Token, func() {} }
	b := h.Open(tb, c.Env)
	for i := range 3 {
		_, err := b.Start(tb.Context(), dyno.Spec{ID: fmt.Sprint("left-", i), Name: "web.1", Slug: c.Slug, Command: "echo x > f; sleep " + c.Marker}, dyno.Stdio{})
		if err != nil {
			tb.Fatalf("Start() = %v", err)
		}
	}
	_, _ = fmt.Fprintln(os.Stdout, "\ncrash here")
	select {}
}

func (s *suite) testRecovery(t *testing.T) {
	t.Helper()
	env := s.env
	env.Dir = t.TempDir()
	token, revoke := s.reg.token("shop")
	defer revoke()
	c := crash{Env: env, Token: token, Slug: s.slug, Marker: fmt.Sprint(1000000 + os.Getpid())}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	top, _, _ := strings.Cut(t.Name(), "/")
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run", "^"+top+"$", "-test.v")
	cmd.Env = append(os.Environ(), crashVariable+"="+string(text))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "crash here"; {
		fmt.Fprintln(&said, lines.Text())
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if n := running(t, c.Marker); n == 0 || len(s.Left(t, env)) == 0 {
		t.Fatalf("%d processes and %q were left, so the test says nothing: %s", n, s.Left(t, env), said.String())
	}
	b := s.Open(t, env)
	if n := running(t, c.Marker); n > 0 {
		t.Errorf("%d processes run on", n)
	}
	if err := b.Prepare(t.Context(), s.slug); err != nil {
		t.Errorf("Prepare() = %v", err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
	if found := s.Left(t, env); len(found) > 0 {
		t.Errorf("left: %q", found)
	}
}

// running counts the processes that sleep for so many seconds.
func running(tb testing.TB, marker string) int {
	tb.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		tb.Fatal(err)
	}
	n := 0
	for _, name := range names {
		if text, err := os.ReadFile(name); err == nil && strings.HasSuffix(string(text), "sleep\x00"+marker+"\x00") {
			n++
		}
	}
	return n
}
