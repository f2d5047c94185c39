package docker

import (
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
