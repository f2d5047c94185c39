package disk_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"slipway/internal/disk"
)

func TestOf(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	for name, size := range map[string]int{
		filepath.Join(dir, "a"): 1 << 20, filepath.Join(dir, "sub", "b"): 1 << 20, filepath.Join(outside, "c"): 8 << 20,
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, make([]byte, size), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	err := errors.Join(
		os.Link(filepath.Join(dir, "a"), filepath.Join(dir, "sub", "a")),
		os.Symlink(outside, filepath.Join(dir, "out")),
		unix.Mkfifo(filepath.Join(dir, "pipe"), 0o644),
		os.WriteFile(filepath.Join(dir, "sparse"), nil, 0o644),
		os.Truncate(filepath.Join(dir, "sparse"), 1<<40),
	)
	if err != nil {
		t.Fatal(err)
	}
	got, err := disk.Of(t.Context(), dir, filepath.Join(dir, "none"))
	if err != nil {
		t.Fatalf("Of() = %v", err)
	}
	// dir, a, sub, sub/b, out, pipe and sparse.
	if got.Files != 7 || got.Bytes < 2<<20 || got.Bytes > 2<<20+1<<16 {
		t.Errorf("Of() = %+v, want 7 files with about 2 MiB", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := disk.Of(ctx, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("Of() canceled = %v", err)
	}
}

// Paths may be longer than the kernel takes at once.
func TestOfDeep(t *testing.T) {
	base, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := base
	for depth := 1; depth <= 1030; depth++ {
		if err := at.Mkdir("folder", 0o755); err != nil {
			t.Fatal(err)
		}
		next, err := at.OpenRoot("folder")
		if err != nil {
			t.Fatal(err)
		}
		if at != base {
			_ = at.Close() // a handle
		}
		at = next
		if depth == 1000 {
			got, err := disk.Of(t.Context(), base.Name())
			if err != nil || got.Files != 1001 {
				t.Errorf("Of() = %+v, %v, want 1001 folders", got, err)
			}
		}
	}
	if _, err := disk.Of(t.Context(), base.Name()); !errors.Is(err, disk.ErrTooDeep) {
		t.Errorf("Of() = %v, want ErrTooDeep", err)
	}
	_, _ = at.Close(), base.Close() // handles
}

func TestFree(t *testing.T) {
	if got, err := disk.Free(t.TempDir()); err != nil || got.Bytes <= 0 {
		t.Errorf("Free() = %+v, %v", got, err)
	}
	if _, err := disk.Free(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Free() of nothing = %v", err)
	}
}
