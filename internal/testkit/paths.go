package testkit

import (
	"os"
	"path/filepath"
	"testing"
)

// Root is the top folder of the checkout.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("there is no go.mod above the test")
		}
		dir = parent
	}
}

// Shared is the folder of test data beside the checkout.
func Shared(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(filepath.Dir(Root(t)), "shared")
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("the test data beside the checkout is missing: %v", err)
	}
	return dir
}

// Builder is the directory of the bundled builder.
func Builder(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(Root(t), "bin", "builder")
	if _, err := os.Stat(filepath.Join(dir, "id")); err != nil {
		t.Fatalf("the bundled builder is missing: run make builder: %v", err)
	}
	return dir
}
