package router_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"slipway/internal/router"
)

func TestAnotherDynoIsTried(t *testing.T) {
	t.Parallel()
	body := func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %d", r.Method, len(text))
	}
	for _, c := range []struct {
		method string
		body   string
	}{{"GET", ""}, {"POST", "small"}, {"POST", strings.Repeat("large", 100_000)}} {
		b := start(t, router.Config{}, gone("web.1"), gone("web.2"), gone("web.3"), serve(t, "web.4", body))
		if _, got := b.do(t, b.request(t, c.method, "/", strings.NewReader(c.body))); got != fmt.Sprint(c.method, " ", len(c.body)) {
			t.Errorf("%s of %d bytes = %q, want the fourth dyno's answer", c.method, len(c.body), got)
		}
		if got := strings.Join(b.apps.failed, " "); got != "web.1 web.2 web.3" {
			t.Errorf("Failed was told of %q, want web.1 web.2 web.3", got)
		}
		if line := b.line(t, 0); !strings.HasPrefix(line, "hello: at=info ") || field(line, "dyno") != "web.4" {
			t.Errorf("line is %s, want at=info dyno=web.4", line)
		}
	}
}

func TestKeptConnectionClosed(t *testing.T) {
	t.Parallel()
	// The dyno closes each connection after one answer, without saying so; or
	// only when it gets the second request.
	quick := once(ok("fine"))
	late := func(c net.Conn, br *bufio.Reader) {
		quick(c, br)
		http.ReadRequest(br)
	}
	for name, behave := range map[string]func(net.Conn, *bufio.Reader){"before": quick, "at the request": late} {
		b := start(t, router.Config{}, script(t, "web.1", behave))
		for range 5 {
			if resp, body := b.do(t, b.request(t, "GET", "/", nil)); resp.StatusCode != 200 || body != "fine" {
				t.Fatalf("closed %s: GET = %d %q, want 200", name, resp.StatusCode, body)
			}
		}
		if len(b.apps.failed) > 0 {
			t.Errorf("closed %s: Failed was told of %v, want nothing: the dyno is up", name, b.apps.failed)
		}
	}
}

func TestNothingIsSentTwice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, body string
		tries        int32
	}{
		{"POST", "small", 1},
		{"POST", strings.Repeat("x", 100_000), 1},
		{"PUT", strings.Repeat("x", 100_000), 1},
		{"POST", "", 1},
		{"GET", "", 2}, // by the second dyno
	} {
		var asked atomic.Int32
		count := func(_ net.Conn, br *bufio.Reader) {
			if _, _, err := readRequest(br); err == nil {
				asked.Add(1)
			}
		}
		b := start(t, router.Config{}, script(t, "web.1", count), script(t, "web.2", count))
		resp, _ := b.do(t, b.request(t, c.method, "/", strings.NewReader(c.body)))
		if resp.StatusCode != 503 || asked.Load() != c.tries {
			t.Errorf("%s of %d bytes = %d after %d tries, want 503 after %d", c.method, len(c.body), resp.StatusCode, asked.Load(), c.tries)
		}
		if line := b.line(t, 0); field(line, "code") != "H13" {
			t.Errorf("line is %s, want code=H13", line)
		}
	}
}

func TestDynoStopsWhileAnotherIsUp(t *testing.T) {
	t.Parallel()
	stopping := script(t, "web.1", func(net.Conn, *bufio.Reader) {}) // closes at once
	b := start(t, router.Config{}, stopping, script(t, "web.1", answer(ok("new"))))
	if _, body := b.do(t, b.request(t, "GET", "/", nil)); body != "new" {
		t.Errorf("GET = %q, want the new dyno's answer", body)
	}
}

func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	var opened atomic.Int32
	behave := func(c net.Conn, br *bufio.Reader) {
		opened.Add(1)
		answer(ok("x"))(c, br)
	}
	b := start(t, router.Config{KeepAlive: 100 * time.Millisecond}, script(t, "web.1", behave))
	get := func(want int32, when string) {
		t.Helper()
		b.do(t, b.request(t, "GET", "/", nil))
		if got := opened.Load(); got != want {
			t.Errorf("%s: %d connections were made, want %d", when, got, want)
		}
	}
	get(1, "first")
	get(1, "at once")
	b.do(t, b.request(t, "POST", "/", strings.NewReader("x")))
	get(1, "after a POST")
	b.router.Forget(b.apps.dynos[0].Key)
	get(2, "after Forget")
	late := time.NewTimer(300 * time.Millisecond)
	<-late.C
	get(3, "after KeepAlive")
}

func TestMisbehavedKeptConnection(t *testing.T) {
	t.Parallel()
	// What a dyno says unasked must not be taken for the next answer.
	b := start(t, router.Config{}, script(t, "web.1", answer(ok("mine")+ok("stolen"))))
	for range 5 {
		if _, body := b.do(t, b.request(t, "GET", "/", nil)); body != "mine" {
			t.Fatalf("GET = %q, want mine", body)
		}
	}
}
