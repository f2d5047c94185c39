package router_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"slipway/internal/router"
)

func TestCodesWithoutDyno(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		err    error
		code   string
		level  string
		status int
		page   string
		after  string
	}{
		{"crashed", router.ErrCrashed, "H10", "error", 503, "slipway logs --tail -a hello", ""},
		{"backlog", router.ErrBacklog, "H11", "error", 503, "Too many requests wait", "5"},
		{"no web", router.ErrNoWeb, "H14", "error", 503, "slipway ps:scale web=1 -a hello", ""},
		{"boot", nil, "H20", "error", 503, "took too long to start", "10"},
		{"maintenance", &router.MaintenanceError{}, "H80", "info", 503, "slipway maintenance:off -a hello", ""},
		{"blank", router.ErrBlank, "H81", "info", 502, "git push slipway main", ""},
		{"quota", fmt.Errorf("of ann: %w", router.ErrQuota), "H82", "info", 503, "dyno hours", ""},
		{"unknown error", errors.New("secret: disk"), "H99", "error", 503, "whoever runs this server", "10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := start(t, router.Config{WakeTimeout: 50 * time.Millisecond})
			b.apps.err = c.err
			resp, body := b.do(t, b.request(t, "GET", "/", nil))
			if resp.StatusCode != c.status || !strings.Contains(body, c.page) || resp.Header.Get("Retry-After") != c.after {
				t.Errorf("GET = %d, Retry-After %q, page\n%s\nwant %d, %q and %q", resp.StatusCode, resp.Header.Get("Retry-After"), body, c.status, c.after, c.page)
			}
			if strings.Contains(body, "secret") || resp.Header.Get("Content-Type") != "text/html; charset=utf-8" {
				t.Errorf("page of type %q tells internals, or is no HTML:\n%s", resp.Header.Get("Content-Type"), body)
			}
			line := b.line(t, 0)
			want := fmt.Sprintf("hello: at=%s code=%s desc=", c.level, c.code)
			tail := fmt.Sprintf(`fwd="127.0.0.1" dyno= connect= service= status=%d bytes= protocol=http`, c.status)
			if !strings.HasPrefix(line, want) || !strings.HasSuffix(line, tail) {
				t.Errorf("line is %s, want %s … %s", line, want, tail)
			}
		})
	}
}

func TestMaintenanceShowsTheAppsOwnPage(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://example.com/down?a=b&c": `<iframe src="https://example.com/down?a=b&amp;c"></iframe>`,
		`http://example.com/"><script>`:  `<iframe src="http://example.com/%22%3E%3Cscript%3E"></iframe>`,
		"javascript:alert(1)":            "slipway maintenance:off -a hello",
		"/down.html":                     "slipway maintenance:off -a hello",
		"http://[":                       "slipway maintenance:off -a hello",
	} {
		b := start(t, router.Config{})
		b.apps.err = &router.MaintenanceError{Page: address}
		resp, body := b.do(t, b.request(t, "GET", "/", nil))
		if resp.StatusCode != 503 || !strings.Contains(body, want) || strings.Contains(body, "<script") {
			t.Errorf("GET with page %s = %d\n%s\nwant 503 and %s", address, resp.StatusCode, body, want)
		}
		if line := b.line(t, 0); !strings.HasPrefix(line, `hello: at=info code=H80 desc="Maintenance mode" method=GET path="/" `) {
			t.Errorf("line is %s, want H80", line)
		}
	}
}

func TestCodesOfDyno(t *testing.T) {
	t.Parallel()
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
	short := router.Config{FirstByte: 100 * time.Millisecond, Idle: 100 * time.Millisecond, DialTimeout: 100 * time.Millisecond}
	silentDial := router.Upstream{Name: "web.1", Key: "k", Dial: func(ctx context.Context) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	for _, c := range []struct {
		name   string
		dyno   router.Upstream
		code   string
		status int
		broken bool // the client sees that the answer is not whole
	}{
		{"silent", script(t, "web.1", hang), "H12", 503, false},
		{"header begun only", script(t, "web.1", func(c net.Conn, br *bufio.Reader) { io.WriteString(c, "HTTP/1.1 2"); hang(c, br) }), "H12", 503, false},
		{"closed", script(t, "web.1", once("")), "H13", 503, false},
		{"idle in the answer", script(t, "web.1", func(c net.Conn, br *bufio.Reader) { readRequest(br); io.WriteString(c, chunked); hang(c, br) }), "H15", 200, true},
		{"no HTTP", script(t, "web.1", once("SSH-2.0-OpenSSH_10\r\n\r\n")), "H17", 503, false},
		{"status that is none", script(t, "web.1", once("HTTP/1.1 042 Odd\r\n\r\n")), "H17", 503, false},
		{"huge header", script(t, "web.1", once("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 300<<10)+"\r\n\r\n")), "H17", 503, false},
		{"endless 103", script(t, "web.1", once(strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 50))), "H17", 503, false},
		{"change that nobody asked for", script(t, "web.1", once("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")), "H17", 503, false},
		{"closed in the header", script(t, "web.1", once("HTTP/1.1 200 OK\r\nX-")), "H18", 503, false},
		{"closed in the answer", script(t, "web.1", once(chunked)), "H18", 200, true},
		{"short of its length", script(t, "web.1", once("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")), "H18", 200, true},
		{"connect hangs", silentDial, "H19", 503, false},
		{"refused", gone("web.1"), "H21", 503, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := short
			cfg.Attempts = 2
			b := start(t, cfg, c.dyno)
			resp, err := b.Client().Do(b.request(t, "GET", "/", nil))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			_, err = io.ReadAll(resp.Body)
			if resp.StatusCode != c.status || (err != nil) != c.broken {
				t.Errorf("GET = %d, %v, want %d, broken off: %v", resp.StatusCode, err, c.status, c.broken)
			}
			line := b.line(t, 0)
			if field(line, "code") != c.code || field(line, "dyno") != "web.1" || field(line, "status") != fmt.Sprint(c.status) {
				t.Errorf("line is %s, want code=%s dyno=web.1 status=%d", line, c.code, c.status)
			}
		})
	}
}

func TestClientGoesAway(t *testing.T) {
	t.Parallel()
	waiting, ended := make(chan struct{}, 1), make(chan struct{}, 1)
	dyno := serve(t, "web.1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/begun" {
			io.WriteString(w, "hello;")
			w.(http.Flusher).Flush()
		}
		waiting <- struct{}{}
		<-r.Context().Done()
		ended <- struct{}{}
	})
	for _, c := range []struct{ path, code, sock, status string }{
		{"/", "H27", "", "499"},
		{"/begun", "H18", "client", "200"},
	} {
		b := start(t, router.Config{}, dyno)
		conn := b.dial(t)
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: hello.localhost\r\n\r\n", c.path)
		<-waiting
		if c.path == "/begun" {
			if _, err := bufio.NewReader(conn).ReadString(';'); err != nil {
				t.Fatal(err)
			}
		}
		conn.Close()
		<-ended // the dyno learns of it
		if line := b.line(t, 0); field(line, "code") != c.code || field(line, "sock") != c.sock || field(line, "status") != c.status {
			t.Errorf("%s: line is %s, want %+v", c.path, line, c)
		}
	}
}

func TestClientIsSlow(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]string{
		"small":   "Content-Length: 10\r\n\r\nhello",
		"large":   "Content-Length: 100000\r\n\r\nhello",
		"chunked": "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
	} {
		b := start(t, router.Config{Idle: 50 * time.Millisecond}, script(t, "web.1", hang))
		if got := b.raw(t, "POST / HTTP/1.1\r\nHost: hello.localhost\r\n"+head); got != "" {
			t.Errorf("%s: answer is %q, want none", name, got)
		}
		if line := b.line(t, 0); field(line, "code") != "H28" || !strings.Contains(line, "at=warning") {
			t.Errorf("%s: line is %s, want at=warning code=H28", name, line)
		}
	}
}

func TestClientDoesNotRead(t *testing.T) {
	t.Parallel()
	stopped := make(chan error, 1)
	dyno := script(t, "web.1", func(c net.Conn, br *bufio.Reader) {
		readRequest(br)
		io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		for {
			if _, err := c.Write(make([]byte, 1<<20)); err != nil {
				stopped <- err
				return
			}
		}
	})
	b := start(t, router.Config{Idle: 100 * time.Millisecond}, dyno)
	c := b.dial(t)
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: hello.localhost\r\n\r\n")
	<-stopped
	if line := b.line(t, 0); field(line, "code") != "H15" {
		t.Errorf("line is %s, want code=H15", line)
	}
}

func TestUnknownHost(t *testing.T) {
	t.Parallel()
	b := start(t, router.Config{})
	for host, want := range map[string]string{
		"other.localhost":      "slipway domains:add other.localhost -a APP",
		"a.b.localhost":        "answers at a.b.localhost.",
		"a&b.localhost":        "answers at this address.",
		"127.0.0.1":            "answers at this address.",
		"no--app.localhost:80": "answers at no--app.localhost.",
	} {
		r := b.request(t, "GET", "/", nil)
		r.Host = host
		if resp, body := b.do(t, r); resp.StatusCode != http.StatusNotFound || !strings.Contains(body, want) {
			t.Errorf("GET %s = %d\n%s\nwant 404 and %q", host, resp.StatusCode, body, want)
		}
	}
	if len(b.lines) > 0 {
		t.Errorf("an app was told of %v, want nothing", b.lines)
	}
}
