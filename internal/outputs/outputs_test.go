package outputs_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"slipway/internal/outputs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, cfg outputs.Config) *outputs.Store {
	t.Helper()
	cfg.Dir = t.TempDir()
	s, err := outputs.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// read reads an output until it ends.
func read(ctx context.Context, s *outputs.Store, app, name string, from int64) (string, error) {
	var got strings.Builder
	for chunk, err := range s.Follow(ctx, app, name, from) {
		if err != nil {
			return got.String(), err
		}
		got.Write(chunk)
	}
	return got.String(), nil
}

func TestOutputIsFollowedAsItComes(t *testing.T) {
	t.Parallel()
	s := open(t, outputs.Config{})
	out := s.Create("shop", "b1")
	fmt.Fprint(out, "one\n")
	step := 0
	for chunk, err := range s.Follow(t.Context(), "shop", "b1", 0) {
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"one\n", "two\n"}[step]; string(chunk) != want {
			t.Errorf("chunk %d = %q, want %q", step, chunk, want)
		}
		if step++; step == 1 {
			fmt.Fprint(out, "two\n")
			continue
		}
		if err := out.Close(); err != nil {
			t.Error(err)
		}
	}
	if step != 2 {
		t.Errorf("Follow gave %d chunks, want 2", step)
	}
	if got, err := read(t.Context(), s, "shop", "b1", 4); got != "two\n" || err != nil {
		t.Errorf("Follow from byte 4 = %q, %v; want the second line", got, err)
	}
	if got, err := read(t.Context(), s, "shop", "b1", 99); got != "" || err != nil {
		t.Errorf("Follow from behind the end = %q, %v; want nothing", got, err)
	}
}

func TestFollowingEndsWithItsReader(t *testing.T) {
	t.Parallel()
	s := open(t, outputs.Config{})
	out := s.Create("shop", "b1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := read(ctx, s, "shop", "b1", 0); got != "" || err != nil {
		t.Errorf("Follow of one that is gone = %q, %v", got, err)
	}
	_ = out.Close()
}

func TestOutputIsBounded(t *testing.T) {
	t.Parallel()
	s := open(t, outputs.Config{MaxBytes: 10})
	out := s.Create("shop", "b1")
	for range 3 {
		if n, err := out.Write([]byte("12345678")); n != 8 || err != nil {
			t.Fatalf("Write = %d, %v; want 8", n, err)
		}
	}
	_ = out.Close()
	got, err := read(t.Context(), s, "shop", "b1", 0)
	if err != nil || !strings.HasPrefix(got, "1234567812\n !     The rest") || strings.Count(got, "The rest") != 1 {
		t.Errorf("an output that is too long is kept as %q, %v", got, err)
	}
}

func TestOldestOutputsGo(t *testing.T) {
	t.Parallel()
	s := open(t, outputs.Config{Keep: 2})
	running := s.Create("shop", "b0")
	for n := 1; n < 5; n++ {
		_ = s.Create("shop", fmt.Sprintf("b%d", n)).Close()
	}
	for name, want := range map[string]bool{"b0": true, "b1": false, "b3": false, "b4": true} {
		if got := s.Exists("shop", name); got != want {
			t.Errorf("Exists(%q) = %v, want %v", name, got, want)
		}
	}
	_ = running.Close()
	if err := s.Remove("shop"); err != nil {
		t.Fatal(err)
	}
	if _, err := read(t.Context(), s, "shop", "b4", 0); !errors.Is(err, outputs.ErrNotFound) {
		t.Errorf("Follow of a removed app's: %v, want ErrNotFound", err)
	}
}

func TestOutputGetsAnotherNameOrGoes(t *testing.T) {
	t.Parallel()
	s := open(t, outputs.Config{})
	kept, gone := s.Create("shop", "r1"), s.Create("shop", "r2")
	fmt.Fprint(kept, "migrated\n")
	kept.KeepAs("v3")
	kept.Discard()
	gone.Discard()
	gone.KeepAs("v4")
	for name, want := range map[string]bool{"r1": false, "v3": true, "r2": false, "v4": false} {
		if got := s.Exists("shop", name); got != want {
			t.Errorf("Exists(%q) = %v, want %v", name, got, want)
		}
	}
	if got, err := read(t.Context(), s, "shop", "v3", 0); got != "migrated\n" || err != nil {
		t.Errorf("Follow = %q, %v", got, err)
	}
}

func TestWriterGoesOnWhereNothingCanBeKept(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "outputs")
	s, err := outputs.Open(outputs.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // a file where the directory was
		t.Fatal(err)
	}
	for _, out := range []*outputs.Output{s.Create("shop", "b1"), s.Create("../etc", "b1"), s.Create("shop", "../x")} {
		if n, err := out.Write([]byte("text")); n != 4 || err != nil {
			t.Errorf("Write = %d, %v; want 4", n, err)
		}
		if err := out.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := read(t.Context(), s, "..", "b1", 0); !errors.Is(err, outputs.ErrNotFound) {
		t.Errorf("Follow(%q): %v, want ErrNotFound", "..", err)
	}
}
