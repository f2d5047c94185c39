package bundle_test

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"slipway/internal/bundle"
)

// What a container writes is bounded, in bytes and in files, and goes with it.
func TestScratch(t *testing.T) {
	rt, low := open(t)
	s := bundle.Spec{ID: "scratch", Lower: []string{low}, Scratch: 4 << 20}
	out, code := output(t, rt, s, script("echo x > /etc/new && cat /etc/new; dd if=/dev/zero of=/big bs=1M count=8 2>&1; wc -c < /big"))
	if code != 0 || !strings.HasPrefix(out, "x\n") || !strings.Contains(out, "No space left") {
		t.Errorf("a big file ends with %d: %s", code, out)
	}
	out, _ = output(t, rt, s, script("i=0; while : > /tmp/$i; do i=$((i+1)); [ $i = 10000 ] && break; done 2>&1; echo made $i"))
	if !strings.Contains(out, "No space left") || strings.Contains(out, "made 10000") {
		t.Errorf("many files met no limit: %s", out)
	}
	if _, err := os.Stat(low + "/etc/new"); err == nil {
		t.Error("the layer was written to")
	}
}

func TestTerminal(t *testing.T) {
	rt, low := open(t)
	c, err := rt.Create(t.Context(), bundle.Spec{ID: "term", Lower: []string{low}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Remove(t.Context())
	if c.Terminal() != nil || c.Resize(bundle.Size{}) != nil {
		t.Error("a container that was not started has a terminal")
	}
	p := script("read x; echo got $x; exit 3")
	p.Terminal = &bundle.Size{Columns: 80, Rows: 24}
	if err := c.Start(t.Context(), p, bundle.Stdio{}); err != nil {
		t.Fatal(err)
	}
	term := c.Terminal()
	if _, err := io.WriteString(term, "word\r"); err != nil {
		t.Fatal(err)
	}
	out, _ := io.ReadAll(term) // ends with an error
	if got := string(out); got != "word\r\ngot word\r\n" {
		t.Errorf("the terminal shows %q", got)
	}
	if code, err := c.Wait(t.Context()); code != 3 || err != nil {
		t.Errorf("Wait() = %d, %v, want 3", code, err)
	}
}

func TestBusy(t *testing.T) {
	layer(t) // root
	cfg := bundle.Config{Dir: t.TempDir(), Cgroup: cgroupName(t)}
	rt, err := bundle.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bundle.Open(t.Context(), cfg); !errors.Is(err, bundle.ErrBusy) {
		t.Errorf("Open() = %v, want busy", err)
	}
	for range 2 {
		if err := rt.Close(t.Context()); err != nil {
			t.Errorf("Close() = %v", err)
		}
	}
	again, err := bundle.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
