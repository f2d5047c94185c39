package mirror

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/module"
)

// GoProxy serves this machine's module cache as a module proxy, for GOPROXY,
// until the test ends. What the cache lacks, the go command fetches into it. Lists
// and the checksum database are passed on to this machine's own proxy, if it has
// one.
func GoProxy(tb testing.TB) string {
	tb.Helper()
	settings := strings.Split(strings.TrimSpace(goCommand(tb, "env", "GOMODCACHE", "GOPROXY")), "\n")
	p := &goProxy{tb: tb, dir: filepath.Join(settings[0], "cache", "download")}
	for entry := range strings.FieldsFuncSeq(strings.Join(settings[1:], ""), func(r rune) bool { return r == ',' || r == '|' }) {
		if up, err := url.Parse(entry); err == nil && strings.HasPrefix(up.Scheme, "http") {
			p.up = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(up); r.Out.Host = up.Host }}
			break
		}
	}
	srv := httptest.NewServer(p)
	tb.Cleanup(srv.Close)
	return srv.URL
}

// A goProxy answers the requests of the GOPROXY protocol, whose paths are those of
// the module cache.
type goProxy struct {
	tb  testing.TB
	dir string
	up  http.Handler // nil if there is none

	mu sync.Mutex // held while something is fetched
}

// ServeHTTP answers.
func (p *goProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	escaped, file, ok := strings.Cut(name, "/@v/")
	extension := filepath.Ext(file)
	switch {
	case !filepath.IsLocal(name):
		http.Error(w, "not found: that is no module", http.StatusNotFound)
	case ok && (extension == ".info" || extension == ".mod" || extension == ".zip"):
		p.serveVersion(w, r, escaped, strings.TrimSuffix(file, extension), filepath.Join(p.dir, filepath.FromSlash(name)))
	case p.up != nil:
		p.up.ServeHTTP(w, r)
	default:
		http.Error(w, "not found: this machine has no module proxy to ask", http.StatusNotFound)
	}
}

func (p *goProxy) serveVersion(w http.ResponseWriter, r *http.Request, escaped, version, file string) {
	path, err := module.UnescapePath(escaped)
	if err == nil {
		version, err = module.UnescapeVersion(version)
	}
	if err == nil {
		err = p.fetch(r, path+"@"+version, file)
	}
	if err != nil {
		http.Error(w, "not found: "+err.Error(), http.StatusNotFound)
		return
	}
	http.ServeFile(w, r, file)
}

// fetch makes the go command fetch a module, unless its file is there.
func (p *goProxy) fetch(r *http.Request, version, file string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, err := os.Stat(file)
	if err == nil {
		return nil
	}
	cmd := exec.CommandContext(r.Context(), "go", "mod", "download", version)
	cmd.Dir = p.tb.TempDir()
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	if out, err := cmd.CombinedOutput(); err != nil {
		p.tb.Logf("go mod download %s: %v\n%s", version, err, bytes.TrimSpace(out))
		return err
	}
	_, err = os.Stat(file)
	return err
}

func goCommand(tb testing.TB, args ...string) string {
	tb.Helper()
	out, err := exec.CommandContext(tb.Context(), "go", args...).Output()
	if err != nil {
		tb.Fatalf("go %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}
