package router_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"slipway/internal/router"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(
		m,
		// certmagic's limit of requests to a CA is the process's own, and who
		// keeps its lock files fresh notices within 5s that they are gone.
		goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.(*RingBufferRateLimiter).loop"),
		goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.keepLockfileFresh"),
	)
}

// apps is one app, "hello", and its dynos. They are chosen in turn.
type apps struct {
	mu     sync.Mutex
	dynos  []router.Upstream
	err    error // instead of a dyno
	next   int
	asked  int
	open   int
	failed []string
}

var _ router.Apps = (*apps)(nil)

func (a *apps) Find(_ context.Context, host string) (string, bool) {
	return "hello", host == "hello.localhost" || host == "www.example.com"
}

func (a *apps) Upstream(ctx context.Context, _ string) (router.Upstream, func(), error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked++
	if a.err != nil {
		return router.Upstream{}, nil, a.err
	}
	if len(a.dynos) == 0 {
		a.mu.Unlock()
		<-ctx.Done()
		a.mu.Lock()
		return router.Upstream{}, nil, ctx.Err()
	}
	up := a.dynos[a.next%len(a.dynos)]
	a.next++
	a.open++
	return up, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.open--
	}, nil
}

func (a *apps) Failed(_ string, up router.Upstream) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failed = append(a.failed, up.Name)
}

// bench is a router in front of dynos, and what it logged.
type bench struct {
	*httptest.Server
	router *router.Router
	apps   *apps

	mu    sync.Mutex
	lines []string
	more  chan struct{}
}

func start(tb testing.TB, cfg router.Config, dynos ...router.Upstream) *bench {
	tb.Helper()
	b := &bench{apps: &apps{dynos: dynos}, more: make(chan struct{}, 1)}
	cfg.Apps, cfg.Domain = b.apps, "localhost"
	if cfg.Log == nil {
		cfg.Log = b.log
	}
	b.router = router.New(cfg)
	b.Server = httptest.NewServer(b.router)
	tb.Cleanup(func() {
		b.router.Close()
		b.CloseClientConnections()
		b.Close()
		b.apps.mu.Lock()
		defer b.apps.mu.Unlock()
		if b.apps.open != 0 {
			tb.Errorf("%d requests did not say that they were done, want 0", b.apps.open)
		}
	})
	return b
}

func (b *bench) log(app, line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, app+": "+line)
	select {
	case b.more <- struct{}{}:
	default:
	}
}

// line waits for the line number n, counted from 0.
func (b *bench) line(t *testing.T, n int) string {
	t.Helper()
	late := time.NewTimer(10 * time.Second)
	defer late.Stop()
	for {
		b.mu.Lock()
		if len(b.lines) > n {
			defer b.mu.Unlock()
			return b.lines[n]
		}
		b.mu.Unlock()
		select {
		case <-b.more:
		case <-late.C:
			t.Fatalf("line %d was not logged within 10s", n)
		}
	}
}

// request makes a request for the app.
func (b *bench) request(tb testing.TB, method, path string, body io.Reader) *http.Request {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), method, b.URL+path, body)
	if err != nil {
		tb.Fatal(err)
	}
	r.Host = "hello.localhost"
	return r
}

// A reply is an answer whose body was read.
type reply struct {
	StatusCode      int
	Header, Trailer http.Header
}

// do sends a request and reads the answer.
func (b *bench) do(tb testing.TB, r *http.Request) (reply, string) {
	tb.Helper()
	resp, err := b.Client().Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, resp.Trailer}, string(text)
}

// dial opens a connection to the router, for what net/http does not send.
func (b *bench) dial(t *testing.T) net.Conn {
	t.Helper()
	var d net.Dialer
	c, err := d.DialContext(t.Context(), "tcp", b.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// raw sends text and returns all of the answer, up to the connection's end.
func (b *bench) raw(t *testing.T, text string) string {
	t.Helper()
	c := b.dial(t)
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(c)
	if err != nil && len(answer) == 0 {
		t.Fatal(err)
	}
	return string(answer)
}

// serve starts a dyno that is a real HTTP server.
func serve(tb testing.TB, name string, h http.HandlerFunc) router.Upstream {
	tb.Helper()
	srv := httptest.NewServer(h)
	tb.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	return at(name, srv.Listener.Addr().String())
}

// at is a dyno at an address.
func at(name, addr string) router.Upstream {
	return router.Upstream{Name: name, Key: name + addr, Dial: func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", addr)
	}}
}

// script is a dyno that does as told with each connection, one after the
// other; the last one for all that follow.
func script(tb testing.TB, name string, each ...func(c net.Conn, br *bufio.Reader)) router.Upstream {
	tb.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	wg.Go(func() {
		for n := 0; ; n++ {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[c] = true
			mu.Unlock()
			wg.Go(func() {
				defer c.Close()
				each[min(n, len(each)-1)](c, bufio.NewReader(c))
			})
		}
	})
	tb.Cleanup(func() {
		ln.Close()
		mu.Lock()
		for c := range open {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return at(name, ln.Addr().String())
}

// readRequest reads one request with its body.
func readRequest(br *bufio.Reader) (*http.Request, string, error) {
	r, err := http.ReadRequest(br)
	if err != nil {
		return nil, "", err
	}
	body, err := io.ReadAll(r.Body)
	return r, string(body), err
}

// answer is a dyno's behaviour: read requests and answer each with text.
func answer(text string) func(net.Conn, *bufio.Reader) {
	return func(c net.Conn, br *bufio.Reader) {
		for {
			if _, _, err := readRequest(br); err != nil {
				return
			}
			if _, err := io.WriteString(c, text); err != nil {
				return
			}
		}
	}
}

// hang is a dyno's behaviour: say nothing until the router gives up.
func hang(_ net.Conn, br *bufio.Reader) { _, _ = io.Copy(io.Discard, br) }

// once answers one request and closes the connection.
func once(text string) func(net.Conn, *bufio.Reader) {
	return func(c net.Conn, br *bufio.Reader) {
		if _, _, err := readRequest(br); err == nil {
			io.WriteString(c, text)
		}
	}
}

func ok(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// gone is a dyno that refuses connections.
func gone(name string) router.Upstream {
	return router.Upstream{Name: name, Key: name, Dial: func(context.Context) (net.Conn, error) {
		return nil, errors.New("connection refused")
	}}
}

// field is the value of key=value in a line.
func field(line, key string) string {
	_, rest, found := strings.Cut(line, " "+key+"=")
	if !found {
		return ""
	}
	if quoted, ok := strings.CutPrefix(rest, `"`); ok {
		value, _, _ := strings.Cut(quoted, `"`)
		return value
	}
	value, _, _ := strings.Cut(rest, " ")
	return value
}
