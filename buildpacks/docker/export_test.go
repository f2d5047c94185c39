package docker

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// WriteHolderProgram writes the program that holders run to dir.
func WriteHolderProgram(t *testing.T, dir string) string {
	t.Helper()
	program, err := pauseProgram(runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "pause")
	if err := os.WriteFile(file, program, 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

// Awake waits until the process runs the holder's program.
func Awake(ctx context.Context, pid int) bool {
	return (&holder{pid: pid, resolvConf: "/dev/null"}).awake(ctx)
}
