package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/internal/testkit"
)

// A Registry is an npm registry on loopback.
type Registry struct {
	URL  string // for NPM_CONFIG_REGISTRY
	Addr string // HOST:PORT, for --build-reach

	mu   sync.Mutex
	seen []string
}

// Seen is the paths that were asked for.
func (r *Registry) Seen() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

// NPM serves the npm registry of this machine, the one that its npm is set to
// use, until the test ends. The files of packages are kept in bin/npm, between
// tests and runs: they never change.
func NPM(tb testing.TB) *Registry {
	tb.Helper()
	out, err := exec.CommandContext(tb.Context(), "npm", "config", "get", "registry").Output()
	if err != nil {
		tb.Fatalf("npm config get registry: %v", err)
	}
	upstream, err := url.Parse(strings.TrimSpace(string(out)))
	if err != nil || upstream.Host == "" {
		tb.Fatalf("npm config get registry = %q, want an address", out)
	}
	if !strings.HasSuffix(upstream.Path, "/") {
		upstream.Path += "/"
	}
	p := &proxy{
		upstream: upstream, kept: filepath.Join(testkit.Root(tb), "bin", "npm"),
		client: &http.Client{Timeout: 5 * time.Minute},
	}
	r := &Registry{}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		r.seen = append(r.seen, req.URL.Path)
		r.mu.Unlock()
		if err := p.serve(w, req); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	}))
	r.Addr = srv.Listener.Addr().String()
	r.URL = "http://" + r.Addr + "/"
	p.own = r.URL
	srv.Start()
	tb.Cleanup(srv.Close)
	return r
}

// A proxy passes on what a registry says.
type proxy struct {
	upstream *url.URL
	own      string
	kept     string // directory of files
	client   *http.Client
	one      sync.Map // file name to *sync.Mutex
}

func (p *proxy) serve(w http.ResponseWriter, req *http.Request) error {
	if strings.HasSuffix(req.URL.Path, ".tgz") {
		file, err := p.file(req.Context(), req.URL.Path)
		if err != nil {
			return err
		}
		// As the registry says of what never changes: npm would ask again for a file
		// that is new here.
		w.Header().Set("Cache-Control", "public, immutable, max-age=31557600")
		http.ServeFile(w, req, file)
		return nil
	}
	resp, err := p.get(req.Context(), req.Method, req.URL.EscapedPath(), req.Header)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	for _, name := range []string{"Content-Type", "ETag"} {
		if value := resp.Header.Get(name); value != "" {
			w.Header().Set(name, value)
		}
	}
	w.WriteHeader(resp.StatusCode)
	_, err = w.Write(p.rewrite(data))
	return err
}

// rewrite makes this server's addresses of the registry's.
func (p *proxy) rewrite(data []byte) []byte {
	for _, address := range []string{p.upstream.String(), "https://registry.npmjs.org/"} {
		data = bytes.ReplaceAll(data, []byte(`"`+address), []byte(`"`+p.own))
	}
	return data
}

func (p *proxy) get(ctx context.Context, method, name string, header http.Header) (*http.Response, error) {
	address := strings.TrimSuffix(p.upstream.String(), "/") + name
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"Accept", "If-None-Match"} {
		if value := header.Get(name); value != "" {
			req.Header.Set(name, value)
		}
	}
	return p.client.Do(req)
}

// file is a file of a package, fetched if it is not there yet.
func (p *proxy) file(ctx context.Context, name string) (string, error) {
	to := filepath.Join(p.kept, filepath.FromSlash(path.Clean("/"+name)))
	lock, _ := p.one.LoadOrStore(to, &sync.Mutex{})
	lock.(*sync.Mutex).Lock()
	defer lock.(*sync.Mutex).Unlock()
	if _, err := os.Stat(to); err == nil {
		return to, nil
	}
	resp, err := p.get(ctx, http.MethodGet, name, nil)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("get %s: %s", name, resp.Status)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return "", err
	}
	tmp, err := os.CreateTemp(filepath.Dir(to), ".fetch-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone if it was renamed
	_, err = io.Copy(tmp, resp.Body)
	if err := errors.Join(err, tmp.Close()); err != nil {
		return "", err
	}
	return to, os.Rename(tmp.Name(), to)
}
