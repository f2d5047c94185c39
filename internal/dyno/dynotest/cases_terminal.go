package dynotest

import (
	"fmt"
	"strings"
	"testing"

	"slipway/internal/dyno"
)

func (s *suite) terminal(tb testing.TB, command string, size dyno.Size) *proc {
	tb.Helper()
	spec := s.spec(command)
	spec.TTY, spec.Size = true, size
	return s.start(tb, spec)
}

func (s *suite) testTerminal(t *testing.T) {
	t.Helper()
	t.Run("size, echo and end", func(t *testing.T) {
		// A new size comes a moment later than Resize returns.
		p := s.terminal(t, `echo on; read x; tty; stty size; echo $TERM; echo ask; read x; echo got $x; while [ "$(stty size)" = "40 100" ]; do :; done; stty size; echo to stderr >&2; exit 3`, dyno.Size{Columns: 100, Rows: 40})
		p.expect("on\r\n")
		_, _ = fmt.Fprint(p.stdin, "\r")
		p.expect("ask\r\n")
		if err := p.Resize(t.Context(), dyno.Size{Columns: 50, Rows: 20}); err != nil {
			t.Errorf("Resize() = %v", err)
		}
		_, _ = fmt.Fprint(p.stdin, "typed\r")
		if exit := p.wait(); exit.Code != 3 {
			t.Errorf("Wait() = %+v, want 3", exit)
		}
		out := p.out.all()
		for _, want := range []string{"/dev/", "40 100\r\n", "xterm\r\n", "ask\r\ntyped\r\ngot typed\r\n20 50\r\n", "to stderr\r\n"} {
			if !strings.Contains(out, want) {
				t.Errorf("output lacks %q: %q", want, out)
			}
		}
		if got := p.err.all(); got != "" {
			t.Errorf("standard error is %q, want none", got)
		}
	})
	t.Run("a new size is told", func(t *testing.T) {
		p := s.terminal(t, "echo on; read x; trap 'stty size; exit 0' WINCH; stty size; while :; do sleep 0.05; done", dyno.Size{})
		p.expect("on\r\n")
		_, _ = fmt.Fprint(p.stdin, "\r")
		p.expect("24 80\r\n")
		if err := p.Resize(t.Context(), dyno.Size{Columns: 132, Rows: 50}); err != nil {
			t.Errorf("Resize() = %v", err)
		}
		p.expect("50 132\r\n")
		p.wait()
		if err := p.Resize(t.Context(), dyno.Size{Columns: 10, Rows: 10}); err != nil {
			t.Errorf("Resize() after the end = %v", err)
		}
	})
	t.Run("control-C", func(t *testing.T) {
		p := s.terminal(t, "echo on; exec sleep 1000", dyno.Size{})
		p.expect("on\r\n")
		_, _ = fmt.Fprint(p.stdin, "\x03")
		if exit := p.wait(); exit.Code != 130 {
			t.Errorf("Wait() = %+v, want 130", exit)
		}
	})
	t.Run("end of input", func(t *testing.T) {
		for _, typed := range []string{"", "line\n", "half a line"} {
			p := s.terminal(t, "echo on; cat; echo end; exit 4", dyno.Size{})
			p.expect("on\r\n")
			_, _ = fmt.Fprint(p.stdin, typed)
			_ = p.stdin.Close()
			if exit := p.wait(); exit.Code != 4 || !strings.Contains(p.out.all(), "end\r\n") {
				t.Errorf("after %q it ends with %+v: %q", typed, exit, p.out.now())
			}
		}
	})
	t.Run("asked to end, and removed", func(t *testing.T) {
		p := s.terminal(t, "echo on; exec sleep 1000", dyno.Size{})
		p.expect("on\r\n")
		if err := p.Terminate(t.Context()); err != nil {
			t.Errorf("Terminate() = %v", err)
		}
		if exit := p.wait(); exit.Code != 143 {
			t.Errorf("Wait() = %+v, want 143", exit)
		}
		p = s.terminal(t, "while :; do echo much; done", dyno.Size{})
		p.expect("much\r\n")
		if err := p.Remove(t.Context()); err != nil {
			t.Errorf("Remove() = %v", err)
		}
		p.out.all()
	})
}
