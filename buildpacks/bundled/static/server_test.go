package static_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/andybalholm/brotli"

	"slipway/buildpacks/bundled/cnbtest"
	"slipway/internal/testkit"
)

// A compiler compiles the file server as the builder does, once.
type compiler struct {
	once sync.Once
	dir  string // where it is
	err  error
}

var caddy compiler

func (c *compiler) compile() (string, error) {
	c.once.Do(func() {
		if c.dir, c.err = os.MkdirTemp("", "caddy-"); c.err != nil {
			return
		}
		cmd := exec.CommandContext(context.Background(), "go", "build", "-mod=readonly", "-tags", "nobadger,nomysql,nopgx", "-trimpath",
			"-buildvcs=false", "-ldflags", "-s -w -buildid=", "-o", filepath.Join(c.dir, "caddy"), ".")
		cmd.Dir = "../caddy"
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOAMD64=v1")
		if out, err := cmd.CombinedOutput(); err != nil {
			c.err = fmt.Errorf("compile the file server: %w\n%s", err, out)
			return
		}
		c.err = os.WriteFile(filepath.Join(c.dir, "caddy.json"), []byte(`{"version": "test", "id": "test"}`), 0o644)
	})
	return c.dir, c.err
}

// A served site is a build that runs as its image would.
type servedSite struct {
	*cnbtest.Platform
	url string
	log *bytes.Buffer // once it has stopped
}

// serve builds a site and starts its web process.
func serve(t *testing.T, files map[string]string) *servedSite {
	t.Helper()
	dir, err := caddy.compile()
	if err != nil {
		t.Fatal(err)
	}
	s := &servedSite{Platform: newPlatform(t, dir, files), log: &bytes.Buffer{}}
	s.Build()
	s.start()
	return s
}

// normalise gives files the time that files of an image have.
func (s *servedSite) normalise() {
	s.T.Helper()
	then := time.Date(1980, 1, 1, 0, 0, 1, 0, time.UTC)
	err := filepath.WalkDir(s.App, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(path, then, then)
	})
	if err != nil {
		s.T.Fatal(err)
	}
}

func (s *servedSite) start() {
	t := s.T
	t.Helper()
	s.normalise()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s.url = "http://127.0.0.1:" + port
	// It is stopped as a dyno is, which is after the test's context has ended.
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), filepath.Join(s.Layers, "server", "bin", "caddy"), "run", "--config", filepath.Join(s.Layers, "config", "caddy.json"))
	cmd.Env, cmd.Dir = []string{"PORT=" + port, "HOME=" + s.Dir, "API=https://api.example.com"}, s.App
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		lines, said := bufio.NewScanner(out), false
		for lines.Scan() {
			s.log.Write(append(lines.Bytes(), '\n'))
			if !said && strings.Contains(lines.Text(), "server running") {
				said = true
				close(ready)
			}
		}
	}()
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		<-done
		if err := cmd.Wait(); err != nil {
			t.Errorf("caddy after SIGTERM = %v, want a clean end\n%s", err, s.log)
		}
		if t.Failed() {
			t.Logf("its log:\n%s", s.log)
		}
	})
	select {
	case <-ready:
	case <-done:
		t.Fatalf("caddy ended:\n%s", s.log)
	}
}

// An answer is a response that has been read.
type answer struct {
	status int
	header http.Header
	body   string
}

// get asks for a path as it is written, with headers in pairs.
func (s *servedSite) get(path string, headers ...string) answer {
	s.T.Helper()
	req, err := http.NewRequestWithContext(s.T.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		s.T.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	if req.Header.Get("Accept-Encoding") == "" {
		req.Header.Set("Accept-Encoding", "identity")
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		s.T.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.T.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		s.T.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// an ask is a request and what is to come back.
type ask struct {
	path   string
	send   []string // headers, in pairs
	status int
	header [2]string // one that must be there, "" value: must not
	body   string    // part of it
}

func (s *servedSite) want(asks map[string]ask) {
	s.T.Helper()
	for name, a := range asks {
		got := s.get(a.path, a.send...)
		if got.status != a.status || !strings.Contains(got.body, a.body) {
			s.T.Errorf("%s: GET %s = %d, %.80q, want %d with %q", name, a.path, got.status, got.body, a.status, a.body)
		}
		if got := got.header.Get(a.header[0]); a.header[0] != "" && got != a.header[1] {
			s.T.Errorf("%s: GET %s: %s = %q, want %q", name, a.path, a.header[0], got, a.header[1])
		}
	}
}

func TestServesTheSample(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the file server: not with -short")
	}
	t.Parallel()
	files := sample(t)
	files[".git/config"], files[".env"], files["Procfile"] = "secret", "secret", "release: true\n"
	files[".well-known/security.txt"], files["blog/index.html"] = "Contact: us", "a blog"
	s := serve(t, files)
	if err := os.Symlink("/etc/passwd", filepath.Join(s.App, "leak.txt")); err != nil {
		t.Fatal(err)
	}
	const css = "/assets/site.3f9a1c2b.css"
	notFound := "There is no such page"
	s.want(map[string]ask{
		"index":                  {"/", nil, 200, [2]string{"Cache-Control", "no-cache"}, "Hello from a static site"},
		"type":                   {"/", nil, 200, [2]string{"Content-Type", "text/html; charset=utf-8"}, ""},
		"no time":                {"/", nil, 200, [2]string{"Last-Modified", ""}, ""},
		"hashed":                 {css, nil, 200, [2]string{"Cache-Control", "public, max-age=31536000, immutable"}, "color-scheme"},
		"svg":                    {"/assets/mark.svg", nil, 200, [2]string{"Content-Type", "image/svg+xml"}, "<svg"},
		"directory":              {"/blog", nil, 308, [2]string{"Location", "/blog/"}, ""},
		"index of a directory":   {"/blog/", nil, 200, [2]string{}, "a blog"},
		"no listing":             {"/assets/", nil, 404, [2]string{}, notFound},
		"404":                    {"/nowhere", nil, 404, [2]string{"Cache-Control", "no-cache"}, notFound},
		"404 of a hashed name":   {"/old.3f9a1c2b.css", nil, 404, [2]string{"Cache-Control", "no-cache"}, notFound},
		"404 though unchanged":   {"/nowhere", []string{"If-None-Match", "*"}, 404, [2]string{}, notFound},
		"hidden":                 {"/.git/config", nil, 404, [2]string{}, notFound},
		"hidden, written oddly":  {"/%2egit/config", nil, 404, [2]string{}, notFound},
		"hidden, by another way": {"/assets/../.env", nil, 404, [2]string{}, notFound},
		"Procfile":               {"/Procfile", nil, 404, [2]string{}, notFound},
		"Procfile, by a slash":   {"//Procfile", nil, 404, [2]string{}, notFound},
		"well known":             {"/.well-known/security.txt", nil, 200, [2]string{}, "Contact"},
		"out of the site":        {"/../../../../etc/passwd", nil, 404, [2]string{}, notFound},
		"out, written oddly":     {"/..%2f..%2f..%2f..%2fetc/passwd", nil, 404, [2]string{}, notFound},
		"out by a link":          {"/leak.txt", nil, 404, [2]string{}, notFound},
		"part":                   {css, []string{"Range", "bytes=0-4"}, 206, [2]string{"Content-Length", "5"}, ":root"},
	})
	wantUnpacked(t, s, css, "br", func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil })
	wantUnpacked(t, s, css, "gzip", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) })
	if got := s.get("/assets/mark.svg", "Accept-Encoding", "gzip, br").header.Get("Content-Encoding"); got != "" {
		t.Errorf("encoding of a small file = %q, want none", got)
	}
}

// wantUnpacked asks for a compressed form, which is to be one of the build's.
func wantUnpacked(t *testing.T, s *servedSite, path, encoding string, open func(io.Reader) (io.Reader, error)) {
	t.Helper()
	plain, resp := s.get(path).body, s.get(path, "Accept-Encoding", encoding)
	packed := resp.body
	if got := resp.header.Get("Content-Encoding"); got != encoding || len(packed) >= len(plain) {
		t.Errorf("GET %s as %s = %d bytes of %q, want fewer than %d", path, encoding, len(packed), got, len(plain))
		return
	}
	if got := resp.header.Get("Vary"); got != "Accept-Encoding" {
		t.Errorf("Vary of %s = %q, want Accept-Encoding", path, got)
	}
	r, err := open(strings.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != plain {
		t.Errorf("GET %s as %s, unpacked: %d bytes, %v, want the file's %d", path, encoding, len(got), err, len(plain))
	}
}

func sample(t *testing.T) map[string]string {
	t.Helper()
	files, dir := map[string]string{}, filepath.Join(testkit.Root(t), "testdata", "apps", "static-site")
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path) // it is below
		files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestServesByStaticJSON(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the file server: not with -short")
	}
	t.Parallel()
	s := serve(t, map[string]string{
		"static.json": `{
			"root": "site/", "clean_urls": true, "https_only": true, "error_page": "errors/missing.html",
			"routes": {"/assets/**": "/assets/", "/app/*": "app.html", "/**": "index.html"},
			"redirects": {"/old/*": {"url": "/new/"}, "/api": {"url": "${API}/v1", "status": 302}},
			"headers": {"/**": {"X-Frame-Options": "DENY"}, "/about": {"X-Frame-Options": "SAMEORIGIN", "X-Note": "{braces}"}}
		}`,
		"site/index.html": "the front page", "site/about.html": "about us", "site/app.html": "the app", "site/assets/a.js": "// a",
		"site/errors/missing.html": "nothing of the kind", "site/static.json": "{}",
	})
	s.want(map[string]ask{
		"clean":               {"/about", nil, 200, [2]string{"X-Frame-Options", "SAMEORIGIN"}, "about us"},
		"braces of a header":  {"/about", nil, 200, [2]string{"X-Note", "{braces}"}, ""},
		"not clean":           {"/about.html", nil, 301, [2]string{"Location", "/about"}, ""},
		"index":               {"/index.html", nil, 301, [2]string{"Location", "/"}, ""},
		"a file":              {"/assets/a.js", nil, 200, [2]string{"X-Frame-Options", "DENY"}, "// a"},
		"no such asset":       {"/assets/b.js", nil, 404, [2]string{"X-Frame-Options", "DENY"}, "nothing of the kind"},
		"route":               {"/app/7", nil, 200, [2]string{"Content-Type", "text/html; charset=utf-8"}, "the app"},
		"route of all":        {"/deep/er/path", nil, 200, [2]string{"Cache-Control", "no-cache"}, "the front page"},
		"redirect":            {"/old/thing", nil, 301, [2]string{"Location", "/new/"}, ""},
		"redirect by setting": {"/api", nil, 302, [2]string{"Location", "https://api.example.com/v1"}, ""},
		"plain HTTP":          {"/about?x=1", []string{"X-Forwarded-Proto", "http", "Host", "example.com"}, 301, [2]string{"Location", "https://example.com/about?x=1"}, ""},
		"HTTPS":               {"/about", []string{"X-Forwarded-Proto", "https"}, 200, [2]string{}, "about us"},
		"below a root":        {"/static.json", nil, 200, [2]string{}, "{}"},
	})
}

// All files of an image have the same time: what has changed must be told apart by
// its content.
func TestEntityTagsAreOfTheContent(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the file server: not with -short")
	}
	t.Parallel()
	long := strings.Repeat("a text that is compressed. ", 100)
	s := serve(t, map[string]string{"index.html": "one", "same.txt": "same", "long.txt": long})
	tag := func(path, encoding string) string {
		return s.get(path, "Accept-Encoding", encoding).header.Get("ETag")
	}
	index, same, plain, packed := tag("/", "identity"), tag("/same.txt", "identity"), tag("/long.txt", "identity"), tag("/long.txt", "br")
	if index == "" || same == "" || plain == "" || packed == "" || plain == packed {
		t.Errorf("entity tags = %q, %q, %q and, compressed, %q, want four", index, same, plain, packed)
	}
	for path, was := range map[string]string{"/": index, "/long.txt": plain} {
		if got := s.get(path, "If-None-Match", was); got.status != http.StatusNotModified {
			t.Errorf("GET %s again = %d, want 304", path, got.status)
		}
	}
	next := serve(t, map[string]string{"index.html": "two", "same.txt": "same", "long.txt": long})
	if got := next.get("/", "If-None-Match", index, "If-Modified-Since", "Thu, 01 Jan 1981 00:00:00 GMT"); got.status != http.StatusOK || got.body != "two" {
		t.Errorf("GET / after a change of the same length = %d, %q, want 200, two", got.status, got.body)
	}
	if got := next.get("/", "If-Modified-Since", "Thu, 01 Jan 1981 00:00:00 GMT"); got.status != http.StatusOK || got.body != "two" {
		t.Errorf("GET / by time alone = %d, %q, want 200, two", got.status, got.body)
	}
	if got := next.get("/same.txt", "If-None-Match", same); got.status != http.StatusNotModified {
		t.Errorf("GET /same.txt after a release that left it alone = %d, want 304", got.status)
	}
}
