package logs_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"slipway/internal/logs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const app = "shop"

// open starts a store that is closed with the test.
func open(tb testing.TB, dir string) *logs.Store {
	tb.Helper()
	return openConfig(tb, logs.Config{Dir: dir, MaxBytes: 256 << 10})
}

func openConfig(tb testing.TB, cfg logs.Config) *logs.Store {
	tb.Helper()
	s, err := logs.Open(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { shut(tb, s) })
	return s
}

func shut(tb testing.TB, s *logs.Store) {
	tb.Helper()
	if err := s.Close(); err != nil {
		tb.Errorf("Close() = %v, want nil", err)
	}
}

func web(format string, args ...any) logs.Line {
	return logs.Line{At: time.Now(), Source: logs.SourceApp, Dyno: "web.1", Text: fmt.Sprintf(format, args...)}
}

// past is what is in an app's log.
func past(tb testing.TB, s *logs.Store, o logs.Options) []logs.Line {
	tb.Helper()
	var lines []logs.Line
	for l, err := range s.Tail(tb.Context(), app, o) {
		if err != nil {
			tb.Fatalf("Tail(%+v): %v", o, err)
		}
		lines = append(lines, l)
	}
	return lines
}

func texts(lines []logs.Line) []string {
	var all []string
	for _, l := range lines {
		all = append(all, l.Text)
	}
	return all
}

func wantTexts(t *testing.T, what string, got []logs.Line, want ...string) {
	t.Helper()
	if !slices.Equal(texts(got), want) {
		t.Errorf("%s = %.500q, want %.500q", what, texts(got), want)
	}
}

// A reading collects what is followed.
type reading struct {
	t     *testing.T
	lines chan logs.Line
	end   chan error
}

// follow reads until ctx is done.
func follow(ctx context.Context, t *testing.T, s *logs.Store, o logs.Options) *reading {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	r := &reading{t: t, lines: make(chan logs.Line), end: make(chan error, 1)}
	o.Follow = true
	go func() {
		var end error
		for l, err := range s.Tail(ctx, app, o) {
			if end = err; err != nil {
				break
			}
			select {
			case r.lines <- l:
			case <-ctx.Done():
			}
		}
		r.end <- end
		close(r.end)
	}()
	t.Cleanup(func() {
		cancel()
		for range r.end {
		}
	})
	return r
}

func (r *reading) next() logs.Line {
	r.t.Helper()
	select {
	case l := <-r.lines:
		return l
	case <-time.After(10 * time.Second):
		r.t.Fatal("no line came within 10s")
	}
	return logs.Line{}
}

func (r *reading) want(texts ...string) {
	r.t.Helper()
	for _, want := range texts {
		if got := r.next().Text; got != want {
			r.t.Fatalf("followed line = %q, want %q", got, want)
		}
	}
}

func TestAppendedLinesAreReadBack(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	at := time.Date(2026, 11, 25, 1, 2, 3, 456789000, time.FixedZone("", 3600))
	s.Append(app, logs.Line{At: at, Source: "app", Dyno: "web.1", Text: "hello"})
	got := past(t, s, logs.Options{Num: 10})
	if len(got) != 1 || got[0] != (logs.Line{At: at.UTC(), Source: "app", Dyno: "web.1", Text: "hello"}) {
		t.Errorf("Tail() = %v, want the line that was appended", got)
	}
	if want := "2026-11-25T00:02:03.456789+00:00 app[web.1]: hello"; got[0].String() != want {
		t.Errorf("String() = %q, want %q", got[0], want)
	}
}

func TestTailFilters(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	for _, l := range []struct{ source, dyno string }{
		{"app", "web.1"}, {"app", "web.2"}, {"app", "webby.1"}, {"app", "worker.1"}, {"slipway", "web.1"}, {"slipway", "router"},
	} {
		s.Append(app, logs.Line{Source: l.source, Dyno: l.dyno, Text: l.source + "/" + l.dyno})
	}
	for name, c := range map[string]struct {
		o    logs.Options
		want []string
	}{
		"none":            {logs.Options{}, nil},
		"a negative Num":  {logs.Options{Num: -1}, nil},
		"the last":        {logs.Options{Num: 1}, []string{"slipway/router"}},
		"a source":        {logs.Options{Num: 9, Source: "slipway"}, []string{"slipway/web.1", "slipway/router"}},
		"a dyno":          {logs.Options{Num: 9, Dyno: "web.1"}, []string{"app/web.1", "slipway/web.1"}},
		"a process type":  {logs.Options{Num: 9, Dyno: "web"}, []string{"app/web.1", "app/web.2", "slipway/web.1"}},
		"the last of it":  {logs.Options{Num: 2, Dyno: "web"}, []string{"app/web.2", "slipway/web.1"}},
		"both":            {logs.Options{Num: 9, Dyno: "web", Source: "app"}, []string{"app/web.1", "app/web.2"}},
		"a dyno that isn": {logs.Options{Num: 9, Dyno: "web.3"}, nil},
	} {
		wantTexts(t, name, past(t, s, c.o), c.want...)
	}
}

func TestFollow(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	s.Append(app, web("one"), web("two"))
	r := follow(t.Context(), t, s, logs.Options{Num: 1, Dyno: "web"})
	r.want("two")
	s.Append(app, web("three"), logs.Line{Source: "slipway", Dyno: "router", Text: "skipped"}, web("four"))
	r.want("three", "four")
}

func TestRotationKeepsTheNewest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	s.Append(app, web("first"))
	r := follow(t.Context(), t, s, logs.Options{Num: 1})
	r.want("first")
	const n, batch = 20_000, 500
	for i := 0; i < n; i += batch {
		for j := range batch {
			s.Append(app, web("line %d", i+j))
		}
		for j := range batch {
			r.want(fmt.Sprintf("line %d", i+j))
		}
	}
	if size := diskUse(t, dir); size > 256<<10 || size < 200<<10 {
		t.Errorf("the log takes %d bytes, want close to 256 KiB at most", size)
	}
	got := texts(past(t, s, logs.Options{Num: logs.MaxNum}))
	if len(got) != logs.MaxNum || got[0] != fmt.Sprintf("line %d", n-logs.MaxNum) || got[len(got)-1] != fmt.Sprintf("line %d", n-1) {
		t.Errorf("Tail() = %d lines, %q to %q, want the newest %d", len(got), got[0], got[len(got)-1], logs.MaxNum)
	}
}

func diskUse(t *testing.T, dir string) (size int64) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, app, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		size += fileSize(t, f)
	}
	return size
}
