package build

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTranscript(t *testing.T) {
	const creator = "\x1b[36;1m===> ANALYZING\x1b[0m\nRestoring data\n===> DETECTING\n1 of 2 participating\n===> RESTORING\n" +
		"===> BUILDING\n-----> Hello\n       detail\n\n===> EXPORTING\nAdding layer\n"
	for name, c := range map[string]struct {
		trace bool
		out   string
		fail  bool
		want  string
	}{
		"only what buildpacks build is shown":   {out: creator, want: "-----> Hello\n       detail\n\n"},
		"trace shows all":                       {trace: true, out: "===> ANALYZING\nx\n===> BUILDING\ny\n", want: "       ===> ANALYZING\n       x\n       ===> BUILDING\ny\n"},
		"a phase that fails is shown":           {out: "===> ANALYZING\na\n===> DETECTING\nb\nERROR: failed to detect: no\n", fail: true, want: "       b\n"},
		"a line that the buildpack did not end": {out: "===> BUILDING\nthe lastERROR: failed to build: exit status 3\n", fail: true, want: "the last\n"},
		"an error of the buildpack's own":       {out: "===> BUILDING\nERROR: Failed building wheel\nERROR: could not\n", want: "ERROR: Failed building wheel\nERROR: could not\n"},
		"an error in the lifecycle's manner":    {out: "===> BUILDING\nERROR: failed to compile x.c\nERROR: failed to build: exit status 1\n", fail: true, want: "ERROR: failed to compile x.c\n"},
		"carriage returns":                      {out: "===> BUILDING\r\n10%\r20%\r\n", want: "10%\r20%\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			tr := newTranscript(&b, c.trace)
			w := newLineWriter(tr, 1)
			for i := 0; i < len(c.out); i += 7 { // in pieces
				_, _ = w.Write([]byte(c.out[i:min(i+7, len(c.out))]))
			}
			w.Close()
			tr.end()
			if c.fail {
				tr.fail(false)
			}
			if b.String() != c.want {
				t.Errorf("transcript is %q, want %q", b.String(), c.want)
			}
		})
	}
}

func TestPartialLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		tr := newTranscript(&b, false)
		tr.enter(phaseBuild)
		out, errs := newLineWriter(tr, 1), newLineWriter(tr, 2)
		write := func(w *lineWriter, s string, after time.Duration, want string) {
			t.Helper()
			_, _ = w.Write([]byte(s))
			time.Sleep(after)
			synctest.Wait()
			if b.String() != want {
				t.Errorf("after %q: %q, want %q", s, b.String(), want)
			}
		}
		write(out, "Down", 10*time.Millisecond, "")
		write(out, "load", 50*time.Millisecond, "Download")
		write(out, "ing", 50*time.Millisecond, "Downloading")
		write(errs, "warning\n", 0, "Downloading\nwarning\n")
		out.flush() // the timer was too late: there is nothing left to show
		write(errs, "", 0, "Downloading\nwarning\n")
		write(out, " done\n", 0, "Downloading\nwarning\n done\n")
		write(out, "===> EXP", time.Second, "Downloading\nwarning\n done\n")
		write(out, "ORTING\nhidden\nhid", time.Second, "Downloading\nwarning\n done\n")
		write(out, strings.Repeat("x", 3*longestLine), time.Second, "Downloading\nwarning\n done\n")
		out.Close()
		errs.Close()
		tr.end()
		if strings.Contains(b.String(), "hid") {
			t.Errorf("hidden output is shown")
		}
	})
}

func TestTailIsBounded(t *testing.T) {
	var b strings.Builder
	tr := newTranscript(&b, false)
	tr.enter(phaseExport)
	w := newLineWriter(tr, 1)
	for range 100000 {
		_, _ = w.Write([]byte(strings.Repeat("y", 50) + "\n"))
	}
	tr.fail(false)
	if n := strings.Count(b.String(), "\n"); n != tailLines+1 {
		t.Errorf("%d lines are shown, want %d", n, tailLines+1)
	}
}

func TestWhyIsBounded(t *testing.T) {
	tr := newTranscript(io.Discard, false)
	w := newLineWriter(tr, 1)
	say := func(s string) {
		t.Helper()
		if _, err := io.WriteString(w, s); err != nil {
			t.Fatal(err)
		}
	}
	say("===> BUILDING\n" + strings.Repeat("ERROR: failed to build: no\n", 1000))
	if _, _, errs := tr.end(); len(errs) != errLines {
		t.Errorf("%d errors are kept, want %d", len(errs), errLines)
	}
	say("===> EXPORTING\nERROR: failed to export: denied\n")
	if _, _, errs := tr.end(); len(errs) != 1 || errs[0] != "ERROR: failed to export: denied" {
		t.Errorf("end() = %q, want the last phase's words only", errs)
	}
}

// A piece that ends in a carriage return is not the end of a line.
func TestProgressBars(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		tr := newTranscript(&b, false)
		tr.enter(phaseBuild)
		w := newLineWriter(tr, 1)
		for _, s := range []string{"10%\r", "20%\r", "done\r\n"} {
			_, _ = w.Write([]byte(s))
			time.Sleep(time.Second)
			synctest.Wait()
		}
		_ = w.Close()
		if want := "10%\r20%\rdone\n"; b.String() != want {
			t.Errorf("transcript is %q, want %q", b.String(), want)
		}
	})
}

func TestPhaseTimes(t *testing.T) {
	var p PhaseTimes
	at := time.Unix(0, 0)
	for _, step := range []struct {
		line string
		ms   int
	}{
		{"===> ANALYZING", 10},
		{"\x1b[36;1m===> DETECTING\x1b[0m", 20},
		{"===> RESTORING", 40},
		{"===> BUILDING", 80},
		{"===> EXPORTING", 160},
	} {
		if name := PhaseOf(step.line); name != "" {
			p.Enter(name, at)
		}
		at = at.Add(time.Duration(step.ms) * time.Millisecond)
	}
	p.Enter("", at)
	if got := p.Buildpacks(); got != 100*time.Millisecond {
		t.Errorf("Buildpacks() = %v, want 100ms", got)
	}
	if got := p.Took("EXPORTING"); got != 160*time.Millisecond {
		t.Errorf("Took(EXPORTING) = %v, want 160ms", got)
	}
	for _, line := range []string{"", "====> X", "echo ===> BUILDING", "==> x"} {
		if got := PhaseOf(line); got != "" {
			t.Errorf("PhaseOf(%q) = %q, want none", line, got)
		}
	}
}
