package testkit

import (
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"testing"
)

// A PackageIndex is a Python package index (PEP 503) on loopback.
type PackageIndex struct {
	URL  string // for PIP_INDEX_URL
	Addr string // HOST:PORT, for --build-reach
}

// ServePackages serves the index of the test data until the test ends.
func ServePackages(tb testing.TB) PackageIndex {
	tb.Helper()
	dir := tb.TempDir()
	archive := filepath.Join(Shared(tb), "pypi", "index-min.tar")
	if out, err := exec.CommandContext(tb.Context(), "tar", "-xf", archive, "-C", dir).CombinedOutput(); err != nil {
		tb.Fatalf("unpack package index: %v\n%s", err, out)
	}
	srv := httptest.NewServer(http.FileServer(http.Dir(dir)))
	tb.Cleanup(srv.Close)
	return PackageIndex{URL: srv.URL + "/simple", Addr: srv.Listener.Addr().String()}
}
