package testkit

import (
	"os"
	"path/filepath"
	"testing"
)

// Root is the top folder of the checkout.
func Root(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			tb.Fatal("there is no go.mod above the test")
		}
		dir = parent
	}
}

// Shared is the folder of test data beside the checkout.
func Shared(tb testing.TB) string {
	tb.Helper()
	dir := filepath.Join(filepath.Dir(Root(tb)), "shared")
	if _, err := os.Stat(dir); err != nil {
		tb.Fatalf("the test data beside the checkout is missing: %v", err)
	}
	return dir
}

// Builder is the directory of the bundled builder.
func Builder(tb testing.TB) string {
	tb.Helper()
	dir := filepath.Join(Root(tb), "bin", "builder")
	if _, err := os.Stat(filepath.Join(dir, "id")); err != nil {
		tb.Fatalf("the bundled builder is missing: run make builder: %v", err)
	}
	return dir
}
