package enginetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"slipway/buildpacks/build"
)

// soon is how long a test waits for what should happen at once.
const soon = 30 * time.Second

// newBuilder makes a build driver on the engine under test.
func (s *suite) newBuilder(t *testing.T, change func(*build.Config)) *build.Builder {
	t.Helper()
	cfg := build.Config{
		Engine: s.engine, Dir: s.dir,
		Registry: s.registry.addr, DialRegistry: s.registry.dial,
		Bundled: s.builder.dir, RunImage: s.registry.addr + "/" + runRef,
		Timeout: 5 * time.Minute,
	}
	if change != nil {
		change(&cfg)
	}
	b, err := build.New(t.Context(), cfg)
	if err != nil {
		t.Fatalf("New() = %v", err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return b
}

var builds atomic.Int64

// request asks for a build of an app whose build.sh is script. More are names of
// files and their texts; those in a folder bin are executable.
func (s *suite) request(app, script string, more ...string) (build.Request, *output) {
	tree := fstest.MapFS{}
	if script != "" {
		tree["build.sh"] = &fstest.MapFile{Data: []byte(script), Mode: 0o755}
	}
	for i := 0; i+1 < len(more); i += 2 {
		mode := fs.FileMode(0o644)
		if strings.Contains(more[i], "/bin/") {
			mode = 0o755
		}
		tree[more[i]] = &fstest.MapFile{Data: []byte(more[i+1]), Mode: mode}
	}
	id := fmt.Sprintf("b%d", builds.Add(1))
	out := newOutput()
	return build.Request{
		ID: id, App: app, Source: fs.FS(tree), Image: s.registry.addr + "/" + app + ":build-" + id,
		User: "any", Token: token, Progress: out,
	}, out
}

// build builds, and fails the test if that fails.
func (s *suite) build(t *testing.T, b *build.Builder, r build.Request) *build.Result {
	t.Helper()
	res, err := b.Build(t.Context(), r)
	if err != nil {
		t.Fatalf("Build() = %v\n%s", err, r.Progress)
	}
	return res
}

// fails builds what must fail with an Error.
func (s *suite) fails(t *testing.T, b *build.Builder, r build.Request) *build.Error {
	t.Helper()
	res, err := b.Build(t.Context(), r)
	if err == nil {
		t.Fatalf("Build() = %+v, want an error\n%s", res, r.Progress)
	}
	var told *build.Error
	if !errors.As(err, &told) {
		t.Fatalf("Build() = %v, want a *build.Error\n%s", err, r.Progress)
	}
	if s.registry.has(t, r.Image) {
		t.Errorf("the failed build published %s", r.Image)
	}
	return told
}

// nothingLeft checks that ended builds have left nothing behind. The marker
// stands in the command line of a process that the build started.
func (s *suite) nothingLeft(t *testing.T, marker string) {
	t.Helper()
	if marker != "" {
		if found := processes(t, marker); len(found) > 0 {
			t.Errorf("processes left: %v", found)
		}
	}
	entries, err := os.ReadDir(filepath.Join(s.dir, "builds"))
	if err != nil || len(entries) > 0 {
		t.Errorf("build directories left: %v, %v", entries, err)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("temporary files left: %v, %v", left, err)
	}
	l, ok := s.engine.(Lister)
	if !ok {
		return
	}
	left, err := l.Leftovers(t.Context())
	if err != nil || len(left) > 0 {
		t.Errorf("the engine has left %v, %v", left, err)
	}
}

func processes(t *testing.T, marker string) []string {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatalf("list processes: %v", err)
	}
	var found []string
	for _, file := range dirs {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		if cmd := strings.ReplaceAll(string(data), "\x00", " "); strings.Contains(cmd, marker) {
			found = append(found, cmd)
		}
	}
	return found
}

// An output is a progress writer that can be waited on.
type output struct {
	mu      sync.Mutex
	b       strings.Builder
	changed chan struct{} // closed and replaced by each write
}

func newOutput() *output { return &output{changed: make(chan struct{})} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.b.Write(p)
	close(o.changed)
	o.changed = make(chan struct{})
	return len(p), nil
}

// String is all that was written.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// tail is the last part of what was written.
func (o *output) tail() string {
	s := o.String()
	return s[max(0, len(s)-4000):]
}

// wait waits until text has been written.
func (o *output) wait(ctx context.Context, text string) error {
	ctx, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	for {
		o.mu.Lock()
		changed, all := o.changed, o.b.String()
		o.mu.Unlock()
		if strings.Contains(all, text) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for %q in output: %w; it is:\n%s", text, ctx.Err(), all)
		}
	}
}

// has checks that all of want is in the output.
func (o *output) has(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(o.String(), w) {
			t.Errorf("output lacks %q:\n%s", w, o.tail())
		}
	}
}

// lacks checks that none of want is in the output.
func (o *output) lacks(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		if strings.Contains(o.String(), w) {
			t.Errorf("output has %q:\n%s", w, o.tail())
		}
	}
}
