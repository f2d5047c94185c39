package launch_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"slipway/internal/dyno"
	"slipway/internal/dyno/launch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestArgs(t *testing.T) {
	for name, c := range map[string]struct {
		spec dyno.Spec
		want []string
	}{
		"a process type":    {dyno.Spec{Type: "web"}, []string{"/cnb/process/web"}},
		"a type with marks": {dyno.Spec{Type: "low_prio-worker.2"}, []string{"/cnb/process/low_prio-worker.2"}},
		"a command":         {dyno.Spec{Command: "echo $PORT | wc"}, []string{"/cnb/lifecycle/launcher", "echo $PORT | wc"}},
		"a type wins":       {dyno.Spec{Type: "web", Command: "ls"}, []string{"/cnb/process/web"}},
		"a path":            {dyno.Spec{Type: "../lifecycle/launcher"}, nil},
		"a hidden file":     {dyno.Spec{Type: ".."}, nil},
	} {
		got, err := launch.Args(c.spec)
		if !slices.Equal(got, c.want) || (err == nil) != (c.want != nil) || err != nil && !errors.Is(err, dyno.ErrNotFound) {
			t.Errorf("%s: Args() = %q, %v, want %q", name, got, err, c.want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	image := []string{"PATH=/app/bin", "A=image", "EMPTY=", "odd"}
	got := launch.Environment(image, dyno.Spec{Name: "web.1", TTY: true, Env: map[string]string{"A": "config=x", "PORT": "80"}})
	want := []string{"A=config=x", "EMPTY=", "HOSTNAME=web.1", "PATH=/app/bin", "PORT=80", "TERM=xterm"}
	if !slices.Equal(got, want) {
		t.Errorf("Environment() = %q, want %q", got, want)
	}
	if got := launch.Environment(nil, dyno.Spec{}); !slices.ContainsFunc(got, func(v string) bool { return strings.HasPrefix(v, "PATH=/usr") }) {
		t.Errorf("Environment() = %q, want a path", got)
	}
}

func TestCopyInput(t *testing.T) {
	for typed, want := range map[string]string{"": "\x04", "line\n": "line\n\x04", "line\r": "line\r\x04", "half": "half\x04\x04", "end\x04": "end\x04\x04"} {
		var term bytes.Buffer
		launch.CopyInput(&term, strings.NewReader(typed))
		if got := term.String(); got != want {
			t.Errorf("CopyInput(%q) wrote %q, want %q", typed, got, want)
		}
	}
	var term bytes.Buffer
	launch.CopyInput(&term, io.MultiReader(strings.NewReader("x"), broken{}))
	if got := term.String(); got != "x" {
		t.Errorf("broken input wrote %q, want no end of file", got)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("broken") }

// A file that was duplicated outlives the caller's, and can be closed while it
// is read.
func TestDuplicate(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Fd() // as who starts programs does: reads block from here on
	ours, err := launch.Duplicate(r)
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	io.WriteString(w, "a")
	buf := make([]byte, 1)
	if _, err := ours.Read(buf); err != nil || buf[0] != 'a' {
		t.Errorf("Read() = %q, %v", buf, err)
	}
	reading := make(chan error, 1)
	go func() {
		_, err := ours.Read(buf)
		reading <- err
	}()
	launch.Close(ours, nil, ours)
	if err := <-reading; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Read() = %v, want closed", err)
	}
	w.Close()
	if f, err := launch.Duplicate(nil); f != nil || err != nil {
		t.Errorf("Duplicate(nil) = %v, %v", f, err)
	}
}

func TestFetches(t *testing.T) {
	var f launch.Fetches
	slug := dyno.Slug{App: "shop", Digest: "sha256:1"}
	started, finish := make(chan struct{}), make(chan error)
	var calls int
	get := func(context.Context) error {
		calls++
		close(started)
		return <-finish
	}
	var wg sync.WaitGroup
	broken := errors.New("broken")
	wg.Go(func() {
		if err := f.Do(t.Context(), slug, get); !errors.Is(err, broken) {
			t.Errorf("Do() = %v, want %v", err, broken)
		}
	})
	<-started
	if !f.Running(slug) || f.Running(dyno.Slug{App: "other"}) {
		t.Error("Running() does not say what runs")
	}
	given, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Do(given, slug, get); !errors.Is(err, context.Canceled) {
		t.Errorf("Do() = %v, want canceled", err)
	}
	finish <- broken
	wg.Wait()
	if calls != 1 || f.Running(slug) {
		t.Errorf("%d calls, running %v, want one that has ended", calls, f.Running(slug))
	}
	running := make(chan struct{})
	wg.Go(func() {
		err := f.Do(t.Context(), slug, func(ctx context.Context) error {
			close(running)
			<-ctx.Done()
			return ctx.Err()
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Do() = %v, want canceled", err)
		}
	})
	<-running
	f.Close()
	wg.Wait()
	if err := f.Do(t.Context(), slug, get); !errors.Is(err, dyno.ErrClosed) {
		t.Errorf("Do() = %v, want closed", err)
	}
}
